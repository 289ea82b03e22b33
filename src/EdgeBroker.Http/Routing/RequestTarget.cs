using System.Text;

namespace EdgeBroker.Http.Routing;

/// <summary>
/// What a request asks for, split from the raw target: at "/" first, then each segment is decoded once. The framework's decoded path cannot tell <c>%2F</c>
/// from <c>%252F</c>, and client ids and topics hold slashes.
/// </summary>
internal sealed class RequestTarget
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private RequestTarget(string path, string[] segments, IReadOnlyList<QueryPair> query)
    {
        Path = path;
        Segments = segments;
        Query = query;
    }

    /// <summary>The path as it was sent.</summary>
    public string Path { get; }

    /// <summary>Its segments, as they were sent; of <c>/</c> a single empty one.</summary>
    public string[] Segments { get; }

    /// <summary>The query's parameters, in order.</summary>
    public IReadOnlyList<QueryPair> Query { get; }

    /// <exception cref="HttpProblem">It is none.</exception>
    public static RequestTarget Parse(string raw)
    {
        // The absolute form names the host once more, before the path.
        int scheme = raw.StartsWith('/') ? -1 : raw.IndexOf("://", StringComparison.Ordinal);
        if (scheme > 0)
        {
            int slash = raw.IndexOf('/', scheme + 3);
            raw = slash < 0 ? "/" : raw[slash..];
        }

        if (!raw.StartsWith('/')) throw new HttpProblem(ProblemKind.InvalidPath, "the path begins with \"/\"");
        if (raw.Contains('#', StringComparison.Ordinal)) throw new HttpProblem(ProblemKind.InvalidPath, "\"#\" is written %23 in an address");
        int question = raw.IndexOf('?', StringComparison.Ordinal);
        string path = question < 0 ? raw : raw[..question];
        return new RequestTarget(path, path[1..].Split('/'), question < 0 ? [] : ParseQuery(raw[(question + 1)..]));
    }

    /// <summary>Decodes a part of a path: percent-encoded UTF-8, in which "+" is a plus.</summary>
    /// <exception cref="HttpProblem">It is none.</exception>
    public static string Decode(string text) => Decode(text, plusIsSpace: false);

    private static string Decode(string text, bool plusIsSpace)
    {
        byte[] bytes = new byte[text.Length];
        int length = 0;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == '%')
            {
                if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
                {
                    throw new HttpProblem(ProblemKind.InvalidPath, "\"%\" stands before two hexadecimal digits, and is written %25 itself");
                }

                bytes[length++] = Convert.FromHexString(text.AsSpan(i + 1, 2))[0];
                i += 2;
            }
            else if (c is < ' ' or > '~')
            {
                throw new HttpProblem(ProblemKind.InvalidPath, "an address holds ASCII; everything else is percent-encoded UTF-8");
            }
            else
            {
                bytes[length++] = plusIsSpace && c == '+' ? (byte)' ' : (byte)c;
            }
        }

        if (bytes.AsSpan(0, length).Contains((byte)0)) throw new HttpProblem(ProblemKind.InvalidPath, "U+0000 is not allowed");
        try
        {
            return Strict.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            throw new HttpProblem(ProblemKind.InvalidPath, "what is percent-encoded must be UTF-8");
        }
    }

    private static List<QueryPair> ParseQuery(string query)
    {
        var pairs = new List<QueryPair>();
        foreach (string one in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = one.IndexOf('=', StringComparison.Ordinal);
            string value = equals < 0 ? "" : one[(equals + 1)..];
            pairs.Add(new QueryPair(Decode(equals < 0 ? one : one[..equals], plusIsSpace: true), Decode(value, plusIsSpace: true), value));
        }

        return pairs;
    }
}

/// <summary>One parameter of a query.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value.</param>
/// <param name="Raw">Its value as it was sent.</param>
internal readonly record struct QueryPair(string Name, string Value, string Raw);
