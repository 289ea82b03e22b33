using EdgeBroker.Cli.Options;
using EdgeBroker.Client;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cli.PubSub;

/// <summary>The command line of <c>sub</c>.</summary>
internal sealed class SubArguments
{
    private const string JsonFormat = "%j";

    private static readonly CommandOption Filter = CommandOption.Text("--topic", 't', "FILTER", "a topic filter; may be repeated") with { IsRepeatable = true };
    private static readonly CommandOption UnsubscribeFrom =
        CommandOption.Text("--unsubscribe", 'U', "FILTER", "end a subscription of a kept session; may be repeated") with { IsRepeatable = true };
    private static readonly CommandOption FilterOut =
        CommandOption.Text("--filter-out", 'T', "FILTER", "do not print messages on these topics; may be repeated") with { IsRepeatable = true };
    private static readonly CommandOption NoRetained = CommandOption.Flag("--no-retained", 'R', "do not print retained messages");
    private static readonly CommandOption OnlyRetained =
        CommandOption.Flag("--retained-only", null, "print retained messages only; end with the first that is not");
    private static readonly CommandOption DeleteRetained =
        CommandOption.Flag("--remove-retained", null, "have the server forget each retained message received");
    private static readonly CommandOption RetainAsPublished = CommandOption.Flag("--retain-as-published", null, "show RETAIN as the publisher set it (MQTT 5)");
    private static readonly CommandOption CountOfMessages = CommandOption.Number("--count", 'C', "N", 1, long.MaxValue, "after N messages");
    private static readonly CommandOption TimeLimit =
        CommandOption.Seconds("--timeout", 'W', "S", 0, 1_000_000, $"after S seconds, with exit code {ExitCode.TimedOut}");
    private static readonly CommandOption OnSubscribe = CommandOption.Flag("--exit-on-subscribe", 'E', "when the server has confirmed the subscriptions");
    private static readonly CommandOption Verbose = CommandOption.Flag("--verbose", 'v', "the topic in front of the payload");
    private static readonly CommandOption NoEol = CommandOption.Flag("--no-eol", 'N', "no line feed behind a message");
    private static readonly CommandOption Json = CommandOption.Flag("--json", null, $"each message as one line of JSON, as -F {JsonFormat} does");
    private static readonly CommandOption Pretty = CommandOption.Flag("--pretty", null, "indent JSON");
    private static readonly CommandOption Format = CommandOption.Text("--format", 'F', "FORMAT", """
        %t topic  %p payload  %x %X payload in hex  %l length  %q QoS  %r retain
        %m packet id  %f %d payload as binary float, double
        %j JSON  %J JSON around a JSON payload
        %I time, ISO 8601  %U Unix time
        @Y @m @d @H @M @S ... strftime  @N nanoseconds
        %A topic alias  %C content type  %D correlation data  %E expiry
        %F payload format  %P user properties  %R response topic
        %S subscription identifier  %% @@ \\ \n \t \0
        %10t pads to 10, %-10t on the right, %010l with zeros, %.5t cuts after 5
        """);

    public static readonly OptionGroup[] Groups =
    [
        new("Subscriptions", Filter, UnsubscribeFrom, FilterOut, NoRetained, OnlyRetained, DeleteRetained, RetainAsPublished),
        new("End", CountOfMessages, TimeLimit, OnSubscribe),
        new("Output", Verbose, NoEol, Json, Pretty, Format),
        ClientArguments.Connection, ClientArguments.Will, TlsArguments.Options,
    ];

    private readonly Arguments _args;

    /// <param name="args">The arguments of <c>sub</c>.</param>
    public SubArguments(Arguments args)
    {
        _args = args;
        Client = new ClientArguments(args, Filter);
        FiltersOut = [.. args.Texts(FilterOut)];
        Unsubscribe = [.. args.Texts(UnsubscribeFrom)];
        if (Client.Topics.Count == 0 && Unsubscribe.Count == 0) throw new UsageException("give at least one topic filter with -t");
        foreach (string filter in Client.Topics) CheckFilter("-t", filter);
        foreach (string filter in FiltersOut) CheckFilter("-T", filter);
        foreach (string filter in Unsubscribe) CheckFilter("-U", filter);
        if (SkipRetained && RetainedOnly) throw new UsageException("-R and --retained-only exclude each other");
        if (args.Has(Json) && (args.Has(Format) || args.Has(Verbose))) throw new UsageException("--json is a format of its own; leave out -F and -v");
    }

    public ClientArguments Client { get; }

    public long? Count => _args.Number(CountOfMessages);

    public TimeSpan? Timeout => _args.Seconds(TimeLimit);

    public bool IsQuiet => ClientArguments.IsQuiet(_args);

    public bool SkipRetained => _args.Has(NoRetained);

    public bool RetainedOnly => _args.Has(OnlyRetained);

    public bool RemoveRetained => _args.Has(DeleteRetained);

    public bool ExitOnSubscribe => _args.Has(OnSubscribe);

    public List<string> FiltersOut { get; }

    public List<string> Unsubscribe { get; }

    public Subscription[] ToSubscriptions() =>
        [.. Client.Topics.Select(filter => new Subscription(filter, new SubscriptionOptions(Client.QoS, retainAsPublished: _args.Has(RetainAsPublished))))];

    public OutputFormat ToFormat() =>
        OutputFormat.Parse(
            _args.Has(Json) ? JsonFormat : _args.Text(Format) ?? (_args.Has(Verbose) ? "%t %p" : "%p"), !_args.Has(NoEol), _args.Has(Pretty),
            emptyPayload: _args.Has(Verbose) && !_args.Has(Format) ? "(null)" : "");

    private static void CheckFilter(string option, string filter)
    {
        if (TopicFilter.IsValid(System.Text.Encoding.UTF8.GetBytes(filter))) return;
        throw new UsageException($"{option} {filter}: not a topic filter; + stands alone in its level, # alone in the last one");
    }
}
