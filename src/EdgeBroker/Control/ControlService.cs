using EdgeBroker.Cli.Control;
using EdgeBroker.Configuration;
using EdgeBroker.Core;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Health;
using EdgeBroker.Logging;
using EdgeBroker.Reloading;
using EdgeBroker.Verbs;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Control;

/// <summary>Answers what verbs ask of the running broker, one request at a time, on the control socket's thread.</summary>
/// <param name="broker">The broker.</param>
/// <param name="view">What is to be seen of it.</param>
/// <param name="health">How its parts are.</param>
/// <param name="source">The configuration in force.</param>
/// <param name="listeners">Where it listens.</param>
/// <param name="reload">Reads the configuration again.</param>
/// <param name="levels">How much the log says.</param>
/// <param name="consoleLink">Makes a link that lets one browser in; null: no listener may have one.</param>
/// <param name="bridges">The bridges.</param>
/// <param name="cluster">The other nodes.</param>
/// <param name="log">Event ids 9045-9049.</param>
internal sealed partial class ControlService(
    Broker broker, BrokerView view, IHealth health, ConfigurationSource source, Func<IEnumerable<string>> listeners, Func<ReloadReport> reload,
    ILogLevels levels, Func<string?> consoleLink, BridgeControl bridges, ClusterControl cluster, ILogger log)
{
    // For the disk to take a deletion: a slow one takes a second.
    private static readonly TimeSpan StoreTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Answers a request.</summary>
    public ControlAnswer Answer(ControlRequest request)
    {
        try
        {
            return request.Ask switch
            {
                ControlRequest.Reload => reload().ToAnswer(),
                ControlRequest.Status => Status(),
                ControlRequest.Clients => new ControlAnswer { Clients = view.Sessions(FilterOf(request), request.After, LimitOf(request)) },
                ControlRequest.Session =>
                    view.Session(request.ClientId ?? "") is { } session ? new ControlAnswer { Session = session } : NoSession(request.ClientId),
                ControlRequest.Kick => Kick(request),
                ControlRequest.Retained => new ControlAnswer { Retained = view.Retained(request.Topic ?? "#", request.After, LimitOf(request)) },
                ControlRequest.RetainedGet => view.RetainedValueOf(request.Topic ?? "") is { } value
                    ? new ControlAnswer { Value = value }
                    : ControlAnswer.Failed($"{request.Topic} has no retained message"),
                ControlRequest.RetainedDelete => DeleteRetained(request.Topic ?? ""),
                ControlRequest.Subscriptions => new ControlAnswer { Subscribers = view.Subscribers(request.Topic ?? "", request.After, LimitOf(request)) },
                ControlRequest.Shared => new ControlAnswer { Shared = view.SharedGroups(request.After, LimitOf(request)) },
                ControlRequest.LogLevel => ChangeLog(request),
                ControlRequest.Refusals => new ControlAnswer { Refusals = new RefusalsAnswer(view.Refusals()) },
                ControlRequest.Console => Console(),
                ControlRequest.Bridges => bridges.List(),
                ControlRequest.Cluster => cluster.Status(),
                ControlRequest.ClusterInit => cluster.Form(),
                ControlRequest.ClusterRemove => cluster.Remove(request.Node, isReplaced: false),
                ControlRequest.ClusterReplace => cluster.Remove(request.Node, isReplaced: true),
                ControlRequest.BridgeOrder => bridges.Order(request.Bridge ?? "", request.Order ?? ""),
                _ => ControlAnswer.Failed($"this broker cannot \"{request.Ask}\"; it is version {VersionCommand.Version}", ExitCode.Usage),
            };
        }
        catch (Exception exception)
        {
            broker.ReportFault(exception, $"a request on the control socket for {request.Ask}");
            return ControlAnswer.Failed($"an internal error ({exception.GetType().Name}); the log says more");
        }
    }

    private static int LimitOf(ControlRequest request) => Math.Clamp(request.Limit, 1, ControlRequest.MostRows);

    private static SessionFilter FilterOf(ControlRequest request) =>
        new() { ClientId = request.ClientId, User = request.User, IsConnected = request.Connected };

    private static ControlAnswer NoSession(string? clientId) => ControlAnswer.Failed($"there is no session of {clientId}");

    private ControlAnswer Kick(ControlRequest request)
    {
        string clientId = request.ClientId ?? "";
        KickOutcome outcome = view.Kick(clientId, request.Forget, request.PublishWill);
        if (outcome == KickOutcome.NotFound) return NoSession(clientId);
        bool isForgotten = outcome == KickOutcome.Forgotten;
        bool isDone = isForgotten || outcome == KickOutcome.Disconnected;
        if (isDone) LogKicked(log, clientId, isForgotten ? "forgotten" : "disconnected");
        return new ControlAnswer { ExitCode = isDone ? ExitCode.Success : ExitCode.Failed, Kick = new KickAnswer(isDone, isForgotten) };
    }

    private ControlAnswer DeleteRetained(string topic)
    {
        bool isDeleted = view.DeleteRetained(topic, out Completion? completion);
        if (isDeleted) LogDeleted(log, topic);
        return new ControlAnswer
        {
            ExitCode = isDeleted ? ExitCode.Success : ExitCode.Failed,
            Delete = new DeleteAnswer(isDeleted, isDeleted && IsDoneSoon(completion)),
        };
    }

    private ControlAnswer ChangeLog(ControlRequest request)
    {
        if (request is { Area: { } area, Level: { } word })
        {
            LogLevel? level = LogLevels.Find(word);
            if (level is null && word != LogLevels.Default) return ControlAnswer.Failed($"there is no level \"{word}\"", ExitCode.Usage);
            TimeSpan? lasting = request.Seconds is > 0 and <= 86_400 and long seconds ? TimeSpan.FromSeconds(seconds) : null;
            if (!levels.Set(area, level, lasting)) return NoArea(area);
            LogChanged(log, area, word, lasting is null ? "" : $", for {lasting.Value.TotalSeconds:0} s");
        }

        LogAreaLevel[] shown = [.. levels.Levels().Where(one => request.Area is null || one.Area == request.Area)];
        if (shown.Length == 0) return NoArea(request.Area!);
        return new ControlAnswer
        {
            LogLevels = new LogLevelsAnswer([.. shown.Select(one => new LogAreaAnswer(one.Area, LogLevels.Name(one.Level), one.IsOwn, one.Until))]),
        };

        ControlAnswer NoArea(string area) =>
            ControlAnswer.Failed($"the log has no area \"{area}\"; there are {string.Join(", ", levels.Levels().Select(one => one.Area))}");
    }

    private ControlAnswer Console() => consoleLink() is { } link
        ? new ControlAnswer { Console = new ConsoleAnswer(link, (int)OnceTokens.Validity.TotalSeconds) }
        : ControlAnswer.Failed("no listener serves the console where a link may be used: one with protocol \"https\", or \"http\" on loopback, does");

    private static bool IsDoneSoon(Completion? completion)
    {
        if (completion is null or { IsDone: true }) return true;
        // Not disposed of: it may be set when nobody waits any more.
        var done = new ManualResetEventSlim();
        completion.WhenDone(done.Set);
        return done.Wait(StoreTimeout);
    }

    private ControlAnswer Status()
    {
        IReadOnlyList<HealthFinding> findings = health.Check();
        HealthState worst = findings.Select(finding => finding.State).DefaultIfEmpty(HealthState.Good).Max();
        BrokerConfiguration configuration = source.Current;
        var status = new StatusAnswer
        {
            Version = VersionCommand.Version,
            Node = configuration.Node.Name,
            ProcessId = Environment.ProcessId,
            UptimeSeconds = broker.Clock.NowMs / 1000,
            Configuration = configuration.File,
            DataDirectory = configuration.Node.DataDirectory,
            Listeners = [.. listeners()],
            Health = WordFor(worst),
            Findings = [.. findings.Select(finding => new FindingAnswer(finding.Part, WordFor(finding.State), finding.Detail))],
            States = broker.Meters.States.Select(state => (state.SysTopic, Text: state.Read())).Where(state => state.Text is not null)
                .ToDictionary(state => state.SysTopic, state => state.Text!, StringComparer.Ordinal),
            Meters = [.. broker.Meters.Entries.Select(Read).OfType<MeterAnswer>()],
        };
        return new ControlAnswer { ExitCode = worst == HealthState.Failing ? ExitCode.Failed : ExitCode.Success, Status = status };
    }

    private static MeterAnswer? Read(MeterEntry entry)
    {
        if (entry.Read() is not { } value) return null;
        return new MeterAnswer(entry.Name, entry.Unit, value, entry.Tags.Count == 0 ? null : entry.Tags.ToDictionary(tag => tag.Key, tag => tag.Value));
    }

    private static string WordFor(HealthState state) => state.ToString().ToLowerInvariant();

    [LoggerMessage(9045, LogLevel.Information, "{ClientId} is {Outcome}, as asked on the control socket")]
    private static partial void LogKicked(ILogger log, string clientId, string outcome);

    [LoggerMessage(9047, LogLevel.Information, "log level of {Area}: {Level}{Lasting}, as asked on the control socket")]
    private static partial void LogChanged(ILogger log, string area, string level, string lasting);

    [LoggerMessage(9046, LogLevel.Information, "the retained message of {Topic} is deleted, as asked on the control socket")]
    private static partial void LogDeleted(ILogger log, string topic);
}
