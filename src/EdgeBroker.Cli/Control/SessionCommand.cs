using EdgeBroker.Cli.Options;
using EdgeBroker.Core.Management;

namespace EdgeBroker.Cli.Control;

/// <summary><c>edgebroker session ID</c>: one session, with all it holds and what goes over its connection.</summary>
public static class SessionCommand
{
    private static readonly TimeSpan RateInterval = TimeSpan.FromSeconds(1);

    public static Command Command { get; } = new()
    {
        Name = "session",
        Summary = "show one session of the running broker: connection, subscriptions, queue",
        Operands = [new Operand("CLIENT-ID")],
        Options = ControlOptions.Common,
        Remarks = "The rates are those of one second: the broker is asked twice. " + ControlOptions.WhoMay,
        ReadsConfiguration = true,
        Run = Run,
    };

    /// <summary>How long something has been so, by this machine's clock, which is the broker's as well.</summary>
    internal static string Since(DateTimeOffset? at, CommandContext context) =>
        at is { } since ? Shown.Duration((context.Time.GetUtcNow() - since).TotalSeconds) : "yes";

    private static int Run(Arguments args, CommandContext context)
    {
        var request = new ControlRequest(ControlRequest.Session) { ClientId = args.Operands[0] };
        SessionDetail session = ControlOptions.Ask(args, context, request).Session!;
        if (args.Has(SharedOptions.Json))
        {
            context.WriteJson(session, ControlJson.Default.SessionDetail);
            return ExitCode.Success;
        }

        SessionDetail later = session.Summary.Traffic is null ? session : AskAgain(args, context, request) ?? session;
        Show(later.Summary, session.Summary.Traffic, context);
        Show(later, context.Out);
        return ExitCode.Success;
    }

    /// <summary>The same a moment later; null: it has gone meanwhile.</summary>
    private static SessionDetail? AskAgain(Arguments args, CommandContext context, ControlRequest request)
    {
        try
        {
            Task.Delay(RateInterval, context.Time, context.Stop).GetAwaiter().GetResult();
            SessionDetail later = ControlOptions.Ask(args, context, request).Session!;
            return later.Summary.Traffic is null ? null : later;
        }
        catch (Exception e) when (e is CommandException or OperationCanceledException)
        {
            return null;
        }
    }

    private static void Show(SessionSummary one, SessionTraffic? before, CommandContext context)
    {
        TextWriter output = context.Out;
        string kept = one.ExpirySeconds == 0 ? "ends with its connection" : $"is kept for {Shown.Duration(one.ExpirySeconds)}";
        output.WriteLine(Printable.Escape($"{one.ClientId}, {(one.User is null ? "anonymous" : "user " + one.User)}: {one.State}, {kept}"));
        if (one.State == SessionSummary.Connected)
        {
            output.WriteLine(Printable.Escape($"  connection     from {one.Address ?? "-"} by {one.Listener ?? "-"} for {Since(one.ConnectedAt, context)}"));
            output.WriteLine($"  protocol       MQTT {one.Protocol ?? "-"}, keep alive {one.KeepAliveSeconds} s");
            if (one.Identity is not null) output.WriteLine(Printable.Escape($"  identity       {one.Identity}"));
        }
        else if (one.EndsInSeconds is { } left)
        {
            output.WriteLine($"  ends           in {Shown.Duration(left)}");
        }

        string oldest = one.QueueOldestSeconds is { } seconds ? $", the oldest for {Shown.Duration(seconds)}" : "";
        output.WriteLine($"  queue          {one.QueueMessages} messages, {Shown.Bytes(one.QueueBytes)}{oldest}");
        output.WriteLine($"  dropped        {one.Dropped}");
        if (one.Traffic is not { } now) return;
        double interval = RateInterval.TotalSeconds;
        SessionTraffic past = before is not null && before.BytesReceived <= now.BytesReceived && before.BytesSent <= now.BytesSent ? before : now;
        string received = Shown.Rate((now.MessagesReceived - past.MessagesReceived) / interval);
        output.WriteLine($"  received       {now.MessagesReceived} messages, {Shown.Bytes(now.BytesReceived)}; {received}");
        output.WriteLine(
            $"  sent           {now.MessagesSent} messages, {Shown.Bytes(now.BytesSent)}; {Shown.Rate((now.MessagesSent - past.MessagesSent) / interval)}");
        if (now.BytesUnsent > 0) output.WriteLine($"  not read yet   {Shown.Bytes(now.BytesUnsent)}");
    }

    private static void Show(SessionDetail session, TextWriter output)
    {
        if (session.Will is { } will)
        {
            output.WriteLine(Printable.Escape(
                $"  will           {will.Topic}, QoS {will.Qos}{(will.Retain ? ", retained" : "")}, {will.Bytes} bytes, after {will.DelaySeconds} s"));
        }

        QueueView queue = session.Queue;
        output.WriteLine($"  queue limits   {queue.MaxMessages} messages, {Shown.Bytes(queue.MaxBytes)}, then {queue.Overflow}");
        if (session.OpenReceives > 0) output.WriteLine($"  QoS 2          {session.OpenReceives} messages of the client begun and not complete");
        var subscriptions = new TextTable("SUBSCRIPTION", ">QOS", "OPTIONS");
        foreach (SubscriptionView one in session.Subscriptions) subscriptions.Add(one.Filter, Shown.Number(one.Qos), OptionsOf(one));
        subscriptions.Write(output);
        var inflight = new TextTable(">IN FLIGHT", ">QOS", "AWAITS", "TOPIC", ">BYTES");
        foreach (InflightView one in session.Inflight)
        {
            inflight.Add(Shown.Number(one.PacketId), Shown.Number(one.Qos), one.State, one.Topic, one.Bytes is { } bytes ? Shown.Number(bytes) : "");
        }

        inflight.Write(output);
        int rest = session.Summary.Inflight - session.Inflight.Count;
        if (rest > 0) output.WriteLine($"and {rest} more in flight");
    }

    private static string OptionsOf(SubscriptionView one)
    {
        var options = new List<string>();
        if (one.NoLocal) options.Add("no local");
        if (one.RetainAsPublished) options.Add("retain as published");
        if (one.RetainHandling != 0) options.Add($"retain handling {one.RetainHandling}");
        if (one.Identifiers is { } identifiers) options.Add("identifier " + string.Join(" ", identifiers));
        return string.Join(", ", options);
    }
}
