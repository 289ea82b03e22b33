using EdgeBroker.Coap.Codec;

namespace EdgeBroker.Coap.Resources;

/// <summary>A request as resources see it: owned, its options read, its body whole.</summary>
public sealed class CoapRequest
{
    // What no client needs, and who sends more wants to be expensive.
    private const int MaxOptions = 300;

    private readonly List<string> _path = [];
    private readonly List<string> _query = [];
    private readonly List<byte[]> _etags = [];
    private readonly List<byte[]> _ifMatch = [];
    private readonly List<string> _requestTags = [];
    private string? _transferKey;

    private CoapRequest(CoapCode method, byte[] payload) => (Method, Payload) = (method, payload);

    /// <summary>What is to be done.</summary>
    public CoapCode Method { get; }

    /// <summary>The segments of the path, decoded.</summary>
    public IReadOnlyList<string> Path => _path;

    /// <summary>The arguments, each <c>key=value</c> or a key.</summary>
    public IReadOnlyList<string> Query => _query;

    /// <summary>The body; of one that comes in blocks, this block until it is whole.</summary>
    public byte[] Payload { get; internal set; }

    /// <summary>What the payload is; null: not said.</summary>
    public ushort? ContentFormat { get; private set; }

    /// <summary>What the client can read; null: anything.</summary>
    public ushort? Accept { get; private set; }

    /// <summary>What the client has already.</summary>
    public IReadOnlyList<byte[]> ETags => _etags;

    /// <summary>The client wants the request carried out only if one of these is the resource's; an empty one: if it exists.</summary>
    public IReadOnlyList<byte[]> IfMatch => _ifMatch;

    /// <summary>Whether the client wants it carried out only if the resource does not exist.</summary>
    public bool IfNoneMatch { get; private set; }

    /// <summary>0: to register as an observer; 1: no more; null: not said.</summary>
    public uint? Observe { get; private set; }

    internal Block? Block1 { get; private set; }

    internal Block? Block2 { get; private set; }

    internal uint? Size1 { get; private set; }

    /// <summary>Whether the client asks for the body's size.</summary>
    internal bool AsksSize { get; private set; }

    /// <summary>Method, path, query and Request-Tag: what a transfer in blocks belongs to.</summary>
    internal string TransferKey =>
        _transferKey ??= string.Join('\u0001', [Method.ToString(), .. _path, "?", .. _query, "#", .. _requestTags]);

    /// <summary>Reads a request; false: it is refused with the code, for the reason.</summary>
    /// <param name="message">The message.</param>
    /// <param name="request">What it asks for.</param>
    /// <param name="refusal">Where it is refused, the code.</param>
    /// <param name="why">And the reason, in words.</param>
    public static bool TryRead(in CoapMessage message, out CoapRequest request, out CoapCode refusal, out string why)
    {
        request = new CoapRequest(message.Code, message.Payload.ToArray());
        refusal = CoapCode.BadRequest;
        why = "";
        int previous = -1;
        int count = 0;
        foreach (CoapOption option in message.Options)
        {
            if (++count > MaxOptions) return Refuse("too many options", out why);
            bool isRepeated = option.Number == previous && !OptionTable.MayRepeat(option.Number);
            previous = option.Number;
            if (isRepeated || !OptionTable.IsWellFormed(option.Number, option.Value.Length) || !request.TryTake(option))
            {
                if (!OptionTable.IsCritical(option.Number)) continue;
                refusal = CoapCode.BadOption;
                return Refuse($"option {option.Number} is critical, and not known or not valid here", out why);
            }

            if (option.Number is (int)OptionNumber.ProxyUri or (int)OptionNumber.ProxyScheme)
            {
                refusal = CoapCode.ProxyingNotSupported;
                return Refuse("this is no proxy", out why);
            }

            if (option.Number is (int)OptionNumber.UriPath or (int)OptionNumber.UriQuery && !request.TryAddText(option))
            {
                return Refuse("path and query are UTF-8", out why);
            }
        }

        return true;
    }

    private static bool Refuse(string because, out string why)
    {
        why = because;
        return false;
    }

    /// <summary>Takes what is not text; false: it is as if unknown.</summary>
    private bool TryTake(in CoapOption option)
    {
        option.TryGetUInt(out uint number);
        switch ((OptionNumber)option.Number)
        {
            case OptionNumber.IfMatch: _ifMatch.Add(option.Value.ToArray()); break;
            case OptionNumber.IfNoneMatch: IfNoneMatch = true; break;
            case OptionNumber.ETag: _etags.Add(option.Value.ToArray()); break;
            case OptionNumber.Observe: Observe = number; break;
            case OptionNumber.ContentFormat: ContentFormat = (ushort)number; break;
            case OptionNumber.Accept: Accept = (ushort)number; break;
            case OptionNumber.Size1: Size1 = number; break;
            case OptionNumber.Size2: AsksSize = true; break;
            case OptionNumber.RequestTag: _requestTags.Add(Convert.ToHexString(option.Value)); break;
            case OptionNumber.Block1: return TryReadBlock(number, block => Block1 = block);
            case OptionNumber.Block2: return TryReadBlock(number, block => Block2 = block);
            case OptionNumber.UriHost or OptionNumber.UriPort or OptionNumber.UriPath or OptionNumber.UriQuery: break;
            case OptionNumber.ProxyUri or OptionNumber.ProxyScheme or OptionNumber.Echo or OptionNumber.NoResponse: break;
            // Of responses.
            default: return false;
        }

        return true;
    }

    private static bool TryReadBlock(uint value, Action<Block> take)
    {
        if (!Block.TryRead(value, out Block block)) return false;
        take(block);
        return true;
    }

    private bool TryAddText(in CoapOption option)
    {
        if (!System.Text.Unicode.Utf8.IsValid(option.Value)) return false;
        string text = System.Text.Encoding.UTF8.GetString(option.Value);
        (option.Number == (int)OptionNumber.UriPath ? _path : _query).Add(text);
        return true;
    }
}
