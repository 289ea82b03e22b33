using System.Globalization;
using System.Text;
using EdgeBroker.Coap.Codec;

namespace EdgeBroker.Coap.Client;

/// <summary>A message in one line, for whoever looks at what goes over the wire.</summary>
internal static class MessageTrace
{
    private const int MostPayload = 60;

    /// <summary>The line.</summary>
    /// <param name="sign"><c>&gt;</c> sent, <c>&lt;</c> received.</param>
    /// <param name="datagram">The message.</param>
    public static string Of(char sign, ReadOnlySpan<byte> datagram)
    {
        CoapFormatError error = CoapMessage.Parse(datagram, out CoapMessage message);
        if (error != CoapFormatError.None) return $"{sign} {datagram.Length} bytes that are no message ({error})";
        var line = new StringBuilder();
        string type = message.Type switch
        {
            CoapType.Confirmable => "CON",
            CoapType.NonConfirmable => "NON",
            CoapType.Acknowledgement => "ACK",
            _ => "RST",
        };
        line.Append(CultureInfo.InvariantCulture, $"{sign} {type} {Word(message.Code)} id {message.MessageId:x4}");
        if (message.Token.Length > 0) line.Append(" token ").Append(Convert.ToHexStringLower(message.Token));
        foreach (CoapOption option in message.Options) line.Append(' ').Append(Shown(option));
        if (message.Payload.Length > 0) line.Append(CultureInfo.InvariantCulture, $" : {message.Payload.Length} bytes {Text(message.Payload)}");
        return line.ToString();
    }

    private static string Word(CoapCode code) =>
        code == CoapCode.Get ? "GET" : code == CoapCode.Post ? "POST" : code == CoapCode.Put ? "PUT" : code == CoapCode.Delete ? "DELETE"
        : code == CoapCode.Empty ? "empty" : code.ToString();

    private static string Shown(in CoapOption option)
    {
        // A number, where it is none that is known.
        string name = ((OptionNumber)option.Number).ToString();
        option.TryGetUInt(out uint number);
        switch ((OptionNumber)option.Number)
        {
            case OptionNumber.UriPath or OptionNumber.UriQuery or OptionNumber.LocationPath or OptionNumber.UriHost:
                return $"{name}:{Text(option.Value)}";
            case OptionNumber.Block1 or OptionNumber.Block2 when Block.TryRead(number, out Block block):
                return string.Create(CultureInfo.InvariantCulture, $"{name}:{block.Number}/{(block.More ? "more" : "last")}/{block.Size}");
            case OptionNumber.ETag or OptionNumber.Echo or OptionNumber.RequestTag or OptionNumber.IfMatch:
                return $"{name}:{Convert.ToHexStringLower(option.Value)}";
            default:
                return string.Create(CultureInfo.InvariantCulture, $"{name}:{number}");
        }
    }

    // What comes from elsewhere must not steer a terminal.
    private static string Text(ReadOnlySpan<byte> bytes)
    {
        string text = Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, MostPayload)]);
        return new string([.. text.Select(c => char.IsControl(c) || c == '\uFFFD' ? '.' : c)]) + (bytes.Length > MostPayload ? "..." : "");
    }
}
