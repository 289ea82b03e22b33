using System.Globalization;
using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Routes;

/// <summary>
/// Turns topics that match a filter into topics of the other side. The target is a filter with the same wildcards in the same order, whose places take what the
/// wildcards matched; or a template with <c>{topic}</c>, <c>{1}</c> (what the first wildcard matched) and <c>{client}</c>, each also as <c>{topic:url}</c>,
/// percent-encoded; or a plain topic, the same for all.
/// </summary>
internal sealed class TopicMap
{
    /// <summary>Wildcards a filter may have to be mapped.</summary>
    public const int MostWildcards = 16;

    private const string Unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    private static readonly System.Buffers.SearchValues<byte> UnreservedBytes = System.Buffers.SearchValues.Create(Encoding.ASCII.GetBytes(Unreserved));

    private readonly byte[] _source;
    private readonly List<Piece> _pieces = [];

    private TopicMap(string source) => _source = Encoding.UTF8.GetBytes(source);

    private enum PieceKind
    {
        Literal,
        Capture,
        Topic,
    }

    /// <summary>The filter of the topics that are mapped.</summary>
    public ReadOnlySpan<byte> Source => _source;

    /// <summary>Makes a map.</summary>
    /// <param name="source">The filter that topics match.</param>
    /// <param name="target">What they become.</param>
    /// <param name="clientId">What <c>{client}</c> stands for.</param>
    /// <exception cref="FormatException">The two do not go together; says why.</exception>
    public static TopicMap Create(string source, string target, string clientId)
    {
        var map = new TopicMap(source);
        if (!TopicFilter.IsValid(map._source) || TopicFilter.IsShared(map._source)) throw new FormatException($"\"{source}\" is not a topic filter");
        List<char> wildcards = [.. source.Split('/').Where(level => level is "+" or "#").Select(level => level[0])];
        if (wildcards.Count > MostWildcards) throw new FormatException($"\"{source}\" has more than {MostWildcards} wildcards");
        if (target.Contains('{', StringComparison.Ordinal)) map.AddTemplate(target, wildcards, clientId);
        else map.AddFilter(source, target, wildcards);
        return map;
    }

    /// <summary>Whether a topic is one of those that are mapped.</summary>
    public bool Matches(ReadOnlySpan<byte> topic) => TopicFilter.Matches(_source, topic);

    /// <summary>Maps a topic.</summary>
    /// <param name="topic">The topic.</param>
    /// <returns>The topic of the other side; null: the topic does not match, or becomes none.</returns>
    public byte[]? Map(ReadOnlySpan<byte> topic)
    {
        Span<Range> captures = stackalloc Range[MostWildcards];
        if (!Matches(topic)) return null;
        bool hasTail = Capture(topic, captures);
        var output = new List<byte>(topic.Length + 32);
        foreach (Piece piece in _pieces)
        {
            switch (piece.Kind)
            {
                case PieceKind.Literal:
                    output.AddRange(piece.Literal);
                    break;
                case PieceKind.Topic:
                    Append(output, topic, piece.IsEncoded);
                    break;
                case PieceKind.Capture when piece.IsTail && !hasTail:
                    // "a/#" matches "a", too, which becomes "b" by "b/#".
                    if (output is [.., (byte)'/']) output.RemoveAt(output.Count - 1);
                    break;
                default:
                    Append(output, topic[captures[piece.Index]], piece.IsEncoded);
                    break;
            }
        }

        byte[] mapped = [.. output];
        return mapped.Length is > 0 and <= ushort.MaxValue && TopicName.IsValid(mapped) ? mapped : null;
    }

    /// <summary>What the wildcards matched; false when the last is a # that matched nothing.</summary>
    private bool Capture(ReadOnlySpan<byte> topic, Span<Range> captures)
    {
        int count = 0;
        int at = 0;
        int from = 0;
        while (true)
        {
            int end = _source.AsSpan(from).IndexOf((byte)'/') is >= 0 and int slash ? from + slash : _source.Length;
            ReadOnlySpan<byte> wanted = _source.AsSpan(from, end - from);
            if (wanted is [(byte)'#'])
            {
                captures[count] = at <= topic.Length ? at.. : topic.Length..;
                return at <= topic.Length;
            }

            if (at > topic.Length) return false;
            int levelEnd = topic[at..].IndexOf((byte)'/') is >= 0 and int next ? at + next : topic.Length;
            if (wanted is [(byte)'+']) captures[count++] = at..levelEnd;
            at = levelEnd + 1;
            from = end + 1;
            if (from > _source.Length) return true;
        }
    }

    private static void Append(List<byte> output, ReadOnlySpan<byte> text, bool isEncoded)
    {
        if (!isEncoded)
        {
            foreach (byte one in text) output.Add(one);
            return;
        }

        foreach (byte one in text)
        {
            if (UnreservedBytes.Contains(one)) output.Add(one);
            else output.AddRange(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"%{one:X2}")));
        }
    }

    private void AddFilter(string source, string target, List<char> wildcards)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(target);
        if (!TopicFilter.IsValid(utf8) || TopicFilter.IsShared(utf8)) throw new FormatException($"\"{target}\" is neither a topic nor a topic filter");
        string[] levels = target.Split('/');
        List<char> places = [.. levels.Where(level => level is "+" or "#").Select(level => level[0])];
        if (places.Count > 0 && !places.SequenceEqual(wildcards))
        {
            throw new FormatException(
                $"\"{target}\" does not have the wildcards of \"{source}\" in the same order; write the same, or a template with {{1}} for the first of them");
        }

        int capture = 0;
        for (int i = 0; i < levels.Length; i++)
        {
            if (levels[i] is "+" or "#") _pieces.Add(Piece.Of(capture++, isTail: levels[i] == "#", isEncoded: false));
            else _pieces.Add(Piece.Of(levels[i]));
            if (i < levels.Length - 1) _pieces.Add(Piece.Of("/"));
        }
    }

    private void AddTemplate(string target, List<char> wildcards, string clientId)
    {
        int at = 0;
        while (at < target.Length)
        {
            int open = target.IndexOf('{', at);
            if (open < 0)
            {
                _pieces.Add(Piece.Of(target[at..]));
                break;
            }

            int close = target.IndexOf('}', open);
            if (close < 0) throw new FormatException($"\"{target}\" has a {{ without its }}");
            if (open > at) _pieces.Add(Piece.Of(target[at..open]));
            _pieces.Add(ReadPlace(target, target[(open + 1)..close], wildcards, clientId));
            at = close + 1;
        }

        if (_pieces.Exists(piece => piece.Kind == PieceKind.Literal && !TopicName.IsValid(piece.Literal)))
        {
            throw new FormatException($"\"{target}\" has a wildcard; a template says {{1}} for what the first wildcard matched");
        }
    }

    private static Piece ReadPlace(string target, string place, List<char> wildcards, string clientId)
    {
        bool isEncoded = place.EndsWith(":url", StringComparison.Ordinal);
        string name = isEncoded ? place[..^4] : place;
        if (name == "client") return Piece.Of(isEncoded ? Uri.EscapeDataString(clientId) : clientId);
        if (name == "topic") return new Piece(PieceKind.Topic, [], 0, false, isEncoded);
        if (int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= 1 && number <= wildcards.Count)
        {
            return Piece.Of(number - 1, isTail: wildcards[number - 1] == '#', isEncoded);
        }

        string known = wildcards.Count == 0 ? "{topic} and {client}" : $"{{topic}}, {{client}} and {{1}} to {{{wildcards.Count}}}";
        throw new FormatException($"\"{{{place}}}\" in \"{target}\" stands for nothing; there are {known}, each also with :url as in {{topic:url}}");
    }

    private sealed record Piece(PieceKind Kind, byte[] Literal, int Index, bool IsTail, bool IsEncoded)
    {
        public static Piece Of(string literal) => new(PieceKind.Literal, Encoding.UTF8.GetBytes(literal), 0, false, false);

        public static Piece Of(int capture, bool isTail, bool isEncoded) => new(PieceKind.Capture, [], capture, isTail, isEncoded);
    }
}
