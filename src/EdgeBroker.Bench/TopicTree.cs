using System.Text;
using EdgeBroker.Cli.Options;

namespace EdgeBroker.Bench;

/// <summary>
/// A tree of topics, three levels of about the same width, and the filters that clients have on it: 14 of 20 without wildcard, 5 with +, 1 with #, of which one
/// in ten takes a whole branch of the first level. Filters of one client never overlap, since a server may then send a copy for each [MQTT-3.3.5-1]. The choice
/// is the same in every run, so that brokers are asked the same.
/// </summary>
internal sealed class TopicTree
{
    private const int Any = -1;
    private const int MostAttempts = 10_000;

    // One in so many filters takes a branch.
    private const int Branches = 200;

    private readonly int _width;
    private readonly int _depth;
    private readonly byte[][] _topics;
    private readonly int[] _subscribers;
    private readonly int[] _claimedBy;
    private readonly string _prefix;
    private readonly Random _random = new(1);

    /// <param name="prefix">What all topics begin with.</param>
    /// <param name="least">How many topics there are at least.</param>
    public TopicTree(string prefix, int least)
    {
        _prefix = prefix;
        _width = Math.Max(1, (int)Math.Round(Math.Cbrt(least)));
        _depth = (least + (_width * _width) - 1) / (_width * _width);
        int count = _width * _width * _depth;
        _topics = new byte[count][];
        for (int i = 0; i < count; i++) _topics[i] = Encoding.UTF8.GetBytes($"{prefix}/a{i / _depth / _width}/b{i / _depth % _width}/c{i % _depth}");
        _subscribers = new int[count];
        _claimedBy = new int[count];
    }

    /// <summary>How many topics there are.</summary>
    public int Count => _topics.Length;

    /// <summary>Subscribers of a topic, on average.</summary>
    public double MeanSubscribers => _subscribers.Average();

    /// <summary>Bytes of the longest topic.</summary>
    public int LongestBytes => _topics.Max(topic => topic.Length);

    /// <summary>A topic by its number.</summary>
    public ReadOnlySpan<byte> Topic(int number) => _topics[number];

    /// <summary>How many clients a topic reaches.</summary>
    public int SubscribersOf(int number) => _subscribers[number];

    /// <summary>Chooses the filters of a client.</summary>
    /// <param name="client">Its number.</param>
    /// <param name="count">How many it wants.</param>
    public string[] ChooseFilters(int client, int count)
    {
        var filters = new string[count];
        // Before others are in the way, which a branch cannot avoid.
        int chosen = ChooseBranches(client + 1, filters);
        int attempts = 0;
        for (int i = chosen; i < count;)
        {
            if (++attempts > MostAttempts + (10 * count))
            {
                throw new UsageException($"{count} filters of one client overlap on {Count} topics; ask for fewer --filters or more --topics");
            }

            if (TryChoose(client + 1) is { } filter) filters[i++] = filter;
        }

        return filters;
    }

    private int ChooseBranches(int claim, Span<string> filters)
    {
        int chosen = 0;
        for (int i = 0; i < filters.Length; i++)
        {
            if (_random.Next(Branches) > 0) continue;
            int a = _random.Next(_width);
            if (TryClaim(claim, a, Any, Any)) filters[chosen++] = $"{_prefix}/a{a}/#";
        }

        return chosen;
    }

    private string? TryChoose(int claim)
    {
        int a = _random.Next(_width), b = _random.Next(_width), c = _random.Next(_depth), kind = _random.Next(20);
        switch (kind)
        {
            case < 14: return TryClaim(claim, a, b, c) ? $"{_prefix}/a{a}/b{b}/c{c}" : null;
            case 14 or 15: return TryClaim(claim, Any, b, c) ? $"{_prefix}/+/b{b}/c{c}" : null;
            case 16 or 17: return TryClaim(claim, a, Any, c) ? $"{_prefix}/a{a}/+/c{c}" : null;
            case 18: return TryClaim(claim, a, b, Any) ? $"{_prefix}/a{a}/b{b}/+" : null;
            default: return TryClaim(claim, a, b, Any) ? $"{_prefix}/a{a}/b{b}/#" : null;
        }
    }

    /// <summary>Gives a client the topics of a filter, unless it has one of them already.</summary>
    private bool TryClaim(int claim, int a, int b, int c)
    {
        foreach (int topic in Covered(a, b, c))
        {
            if (_claimedBy[topic] == claim) return false;
        }

        foreach (int topic in Covered(a, b, c))
        {
            _claimedBy[topic] = claim;
            _subscribers[topic]++;
        }

        return true;
    }

    private IEnumerable<int> Covered(int a, int b, int c)
    {
        for (int i = a == Any ? 0 : a; i <= (a == Any ? _width - 1 : a); i++)
        {
            for (int j = b == Any ? 0 : b; j <= (b == Any ? _width - 1 : b); j++)
            {
                for (int k = c == Any ? 0 : c; k <= (c == Any ? _depth - 1 : c); k++) yield return (((i * _width) + j) * _depth) + k;
            }
        }
    }
}
