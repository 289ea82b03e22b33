using EdgeBroker.Client;
using EdgeBroker.Protocol;

namespace EdgeBroker.PubSub;

/// <summary>The command line of <c>sub</c>.</summary>
internal sealed class SubArguments
{
    private bool _noEol;
    private bool _isVerbose;
    private bool _isPretty;
    private string? _format;
    private bool _retainAsPublished;

    public ClientArguments Client { get; } = new();

    public long? Count { get; private set; }

    public TimeSpan? Timeout { get; private set; }

    public bool SkipRetained { get; private set; }

    public bool RetainedOnly { get; private set; }

    public bool RemoveRetained { get; private set; }

    public bool ExitOnSubscribe { get; private set; }

    public List<string> FiltersOut { get; } = [];

    public List<string> Unsubscribe { get; } = [];

    public void Read(string[] args)
    {
        var reader = new OptionReader(Verbs.Sub, args);
        while (reader.Next() is { } option)
        {
            switch (option)
            {
                case "--count": Count = reader.Number(1, long.MaxValue); break;
                case "--timeout": Timeout = reader.Seconds(); break;
                case "--no-retained": SkipRetained = true; break;
                case "--retained-only": RetainedOnly = true; break;
                case "--remove-retained": RemoveRetained = true; break;
                case "--retain-as-published": _retainAsPublished = true; break;
                case "--filter-out": FiltersOut.Add(CheckFilter("-T", reader.Value())); break;
                case "--unsubscribe": Unsubscribe.Add(CheckFilter("-U", reader.Value())); break;
                case "--exit-on-subscribe": ExitOnSubscribe = true; break;
                case "--verbose": _isVerbose = true; break;
                case "--no-eol": _noEol = true; break;
                case "--format": _format = reader.Value(); break;
                case "--pretty": _isPretty = true; break;
                default: Client.TryTake(option, reader); break;
            }
        }

        if (Client.WantsHelp) return;
        if (Client.Topics.Count == 0 && Unsubscribe.Count == 0) throw new UsageException("Give at least one topic filter with -t.");
        foreach (string filter in Client.Topics) CheckFilter("-t", filter);
        if (SkipRetained && RetainedOnly) throw new UsageException("-R and --retained-only exclude each other.");
    }

    public Subscription[] ToSubscriptions() =>
        [.. Client.Topics.Select(filter => new Subscription(filter, new SubscriptionOptions(Client.QoS, retainAsPublished: _retainAsPublished)))];

    public OutputFormat ToFormat() => OutputFormat.Parse(_format ?? (_isVerbose ? "%t %p" : "%p"), !_noEol, _isPretty);

    private static string CheckFilter(string option, string filter) => TopicFilter.IsValid(System.Text.Encoding.UTF8.GetBytes(filter)) ? filter
        : throw new UsageException($"{option} {filter}: not a topic filter; + stands alone in its level, # alone in the last one.");
}
