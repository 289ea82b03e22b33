using System.Buffers;
using System.Globalization;
using System.Text;
using EdgeBroker.Cli.Options;
using EdgeBroker.Client;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cli.PubSub;

/// <summary>The output of <c>sub</c> for one message, in mosquitto_sub's format language: %-sequences, @ for strftime, \ for escapes.</summary>
internal sealed class OutputFormat
{
    private const string Sequences = "%ACDdEFfIjJlmPpqRrStUXx";
    private readonly List<OutputPiece> _pieces = [];
    private readonly bool _endOfLine;
    private readonly bool _isPretty;

    private readonly byte[] _emptyPayload;

    private OutputFormat(bool endOfLine, bool isPretty, string emptyPayload)
    {
        _emptyPayload = Encoding.UTF8.GetBytes(emptyPayload);
        _endOfLine = endOfLine;
        _isPretty = isPretty;
    }

    /// <summary>Reads a format.</summary>
    /// <param name="format">The format.</param>
    /// <param name="endOfLine">Whether a line feed follows each message.</param>
    /// <param name="isPretty">Whether JSON is indented.</param>
    /// <param name="emptyPayload">What stands for a payload of no bytes, as mosquitto_sub -v has it.</param>
    /// <exception cref="UsageException">It has a sequence that does not exist.</exception>
    public static OutputFormat Parse(string format, bool endOfLine, bool isPretty, string emptyPayload = "")
    {
        var result = new OutputFormat(endOfLine, isPretty, emptyPayload);
        for (int i = 0; i < format.Length; i++)
        {
            switch (format[i])
            {
                case '%': i = result.AddSequence(format, i + 1); break;
                case '@': result._pieces.Add(new OutputPiece('@', Follower(format, ++i).ToString())); break;
                case '\\': result.AddLiteral(Escape(Follower(format, ++i))); break;
                default: result.AddLiteral(format[i].ToString()); break;
            }
        }

        return result;
    }

    /// <summary>Appends a message; false, with nothing appended, when %J met a payload that is no JSON.</summary>
    public bool TryWrite(IBufferWriter<byte> output, ReceivedMessage message, DateTimeOffset now)
    {
        if (_pieces.Exists(p => p.Kind == 'J') && !JsonOutput.IsJson(message.Payload.Span)) return false;
        IReadOnlyList<MqttProperty>? properties = null;
        foreach (OutputPiece piece in _pieces)
        {
            switch (piece.Kind)
            {
                case 'L': output.Write(piece.LiteralBytes); break;
                case '@': WriteText(output, Strftime.Format(piece.Literal[0], now)); break;
                case 'p': piece.WritePadded(output, message.Payload.IsEmpty ? _emptyPayload : message.Payload.Span); break;
                case 't': piece.WritePadded(output, message.Topic.Span); break;
                case 'x': piece.WritePadded(output, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(message.Payload.Span))); break;
                case 'X': piece.WritePadded(output, Encoding.ASCII.GetBytes(Convert.ToHexString(message.Payload.Span))); break;
                case 'j': JsonOutput.Write(output, message, properties ??= message.ReadProperties(), now, payloadIsJson: false, _isPretty); break;
                case 'J': JsonOutput.Write(output, message, properties ??= message.ReadProperties(), now, payloadIsJson: true, _isPretty); break;
                case 'd': piece.WriteNumber(output, message.Payload.Span, sizeof(double)); break;
                case 'f': piece.WriteNumber(output, message.Payload.Span, sizeof(float)); break;
                default: piece.WritePadded(output, Value(piece.Kind, message, properties ??= message.ReadProperties(), now)); break;
            }
        }

        if (_endOfLine) output.Write("\n"u8);
        return true;
    }

    private static ReadOnlySpan<byte> Value(char kind, ReceivedMessage message, IReadOnlyList<MqttProperty> properties, DateTimeOffset now) => kind switch
    {
        'l' => Ascii(message.Payload.Length),
        'm' => Ascii(message.PacketId),
        'q' => Ascii((int)message.QoS),
        'r' => Ascii(message.Retain ? 1 : 0),
        'A' => Number(properties, PropertyId.TopicAlias),
        'E' => Number(properties, PropertyId.MessageExpiryInterval),
        'F' => Number(properties, PropertyId.PayloadFormatIndicator),
        'S' => Number(properties, PropertyId.SubscriptionIdentifier),
        'C' => Bytes(properties, PropertyId.ContentType),
        'D' => Bytes(properties, PropertyId.CorrelationData),
        'R' => Bytes(properties, PropertyId.ResponseTopic),
        'P' => UserProperties(properties),
        'I' => Encoding.ASCII.GetBytes(Strftime.Iso8601(now)),
        'U' => Encoding.ASCII.GetBytes(Strftime.UnixNanoseconds(now)),
        _ => default,
    };

    private static byte[] Ascii(long number) => Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture));

    // Subscription identifiers may be several; a blank stands between them.
    private static byte[] Number(IReadOnlyList<MqttProperty> properties, PropertyId id) =>
        Encoding.ASCII.GetBytes(string.Join(' ', properties.Where(p => p.Id == id).Select(p => p.Number)));

    private static ReadOnlySpan<byte> Bytes(IReadOnlyList<MqttProperty> properties, PropertyId id) => properties.FirstOrDefault(p => p.Id == id).Value.Span;

    private static byte[] UserProperties(IReadOnlyList<MqttProperty> properties) => Encoding.UTF8.GetBytes(string.Join(' ', properties
        .Where(p => p.Id == PropertyId.UserProperty).Select(p => $"{Encoding.UTF8.GetString(p.Name.Span)}:{Encoding.UTF8.GetString(p.Value.Span)}")));

    private static void WriteText(IBufferWriter<byte> output, string text) => output.Write(Encoding.UTF8.GetBytes(text));

    private static char Follower(string format, int at) =>
        at < format.Length ? format[at] : throw new UsageException($"-F: the format ends in the middle of a sequence ({format[^1]})");

    private static string Escape(char c) => c switch
    {
        '\\' => "\\",
        '0' => "\0",
        'a' => "\a",
        'e' => "\e",
        'n' => "\n",
        'r' => "\r",
        't' => "\t",
        'v' => "\v",
        _ => throw new UsageException($"-F: there is no escape \\{c}; use \\\\, \\0, \\a, \\e, \\n, \\r, \\t or \\v"),
    };

    private void AddLiteral(string text)
    {
        if (_pieces.Count > 0 && _pieces[^1].Kind == 'L') _pieces[^1] = new OutputPiece('L', _pieces[^1].Literal + text);
        else _pieces.Add(new OutputPiece('L', text));
    }

    // %[0][-][width][.precision]letter
    private int AddSequence(string format, int at)
    {
        bool zero = false, left = false;
        for (; Follower(format, at) is '0' or '-'; at++)
        {
            if (format[at] == '0') zero = true;
            else left = true;
        }

        int? width = ReadNumber(format, ref at);
        int? precision = null;
        if (Follower(format, at) == '.')
        {
            at++;
            precision = ReadNumber(format, ref at) ?? 0;
        }

        char kind = Follower(format, at);
        if (!Sequences.Contains(kind, StringComparison.Ordinal)) throw new UsageException($"-F: there is no %{kind}; see edgebroker sub --help for the list");
        if (kind == '%') AddLiteral("%");
        else _pieces.Add(new OutputPiece(kind, "") { IsZeroPadded = zero && !left, IsLeftAligned = left, Width = width ?? 0, Precision = precision });
        return at;
    }

    private static int? ReadNumber(string format, ref int at)
    {
        int? number = null;
        for (; char.IsAsciiDigit(Follower(format, at)); at++)
        {
            number = ((number ?? 0) * 10) + format[at] - '0';
            if (number > 10_000) throw new UsageException("-F: a field is at most 10000 wide");
        }

        return number;
    }
}
