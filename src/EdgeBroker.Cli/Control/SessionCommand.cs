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
        Remarks = "The rates are those of one second: a connected session is asked for twice. " + ControlOptions.WhoMay,
        ReadsConfiguration = true,
        Run = (args, context) =>
        {
            using var stop = new StopSignals(context.Stop);
            return RunAsync(args, context, stop.Token).GetAwaiter().GetResult();
        },
    };

    /// <summary>How long something has been so, by this machine's clock, which is the broker's as well.</summary>
    internal static string Since(DateTimeOffset? at, CommandContext context) =>
        at is { } since ? Shown.Duration((context.Time.GetUtcNow() - since).TotalSeconds) : "yes";

    private static async Task<int> RunAsync(Arguments args, CommandContext context, CancellationToken stop)
    {
        var request = new ControlRequest(ControlRequest.Session) { ClientId = args.Operands[0] };
        SessionDetail session = ControlOptions.Ask(args, context, request).Session!;
        if (args.Has(SharedOptions.Json))
        {
            context.WriteJson(session, ControlJson.Default.SessionDetail);
            return ExitCode.Success;
        }

        Rates? rates = null;
        if (session.Summary.Traffic is { } before)
        {
            long asked = context.Time.GetTimestamp();
            try
            {
                // A rate is what has come between two looks, so there is nothing to wait for but the time between them.
                await Task.Delay(RateInterval, context.Time, stop);
                SessionDetail later = ControlOptions.Ask(args, context, request).Session!;
                rates = Rates.Between(before, later.Summary.Traffic, context.Time.GetElapsedTime(asked));
                if (rates is not null) session = later;
            }
            catch (Exception exception) when (exception is CommandException or OperationCanceledException)
            {
                // It has gone meanwhile, or whoever asked does not want to wait: what was answered is shown.
            }
        }

        Show(session.Summary, rates, context);
        Show(session, context.Out);
        return ExitCode.Success;
    }

    private static void Show(SessionSummary one, Rates? rates, CommandContext context)
    {
        TextWriter output = context.Out;
        string kept = one.ExpirySeconds == 0 ? "ends with its connection" : $"is kept for {Shown.Duration(one.ExpirySeconds)}";
        output.WriteLine(Printable.Escape($"{one.ClientId}, {(one.User is null ? "anonymous" : "user " + one.User)}: {one.State}, {kept}"));
        if (one.State == SessionSummary.Connected)
        {
            string since = Since(one.ConnectedAt, context);
            output.WriteLine(Printable.Escape($"  connection     from {one.Address} by {one.Listener} ({one.Transport}) for {since}"));
            output.WriteLine($"  protocol       MQTT {one.Protocol}, keep alive {one.KeepAliveSeconds} s");
            if (one.Identity is not null) output.WriteLine(Printable.Escape($"  identity       {one.Identity}"));
        }
        else if (one.EndsInSeconds is { } left)
        {
            output.WriteLine($"  ends           in {Shown.Duration(left)}");
        }

        string oldest = one.QueueOldestSeconds is { } seconds ? $", the oldest for {Shown.Duration(seconds)}" : "";
        output.WriteLine($"  queue          {one.QueueMessages} messages, {Shown.Bytes(one.QueueBytes)}{oldest}");
        output.WriteLine($"  dropped        {one.DroppedTotal}");
        if (one.Traffic is not { } now) return;
        output.WriteLine($"  received       {now.MessagesReceived} messages, {Shown.Bytes(now.BytesReceived)}{Rate(rates?.Received)}");
        output.WriteLine($"  sent           {now.MessagesSent} messages, {Shown.Bytes(now.BytesSent)}{Rate(rates?.Sent)}");
        if (now.BytesUnsent > 0) output.WriteLine($"  not read yet   {Shown.Bytes(now.BytesUnsent)}");
    }

    private static string Rate(double? perSecond) => perSecond is { } known ? "; " + Shown.Rate(known) : "";

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
        int rest = session.Summary.InflightCount - session.Inflight.Count;
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

    /// <summary>Messages a second.</summary>
    private sealed record Rates(double Received, double Sent)
    {
        /// <summary>Of one connection between two looks at it; null: there was another meanwhile, or none.</summary>
        public static Rates? Between(SessionTraffic before, SessionTraffic? after, TimeSpan elapsed)
        {
            if (after is null || after.BytesReceived < before.BytesReceived || after.BytesSent < before.BytesSent) return null;
            double seconds = elapsed.TotalSeconds;
            return new Rates((after.MessagesReceived - before.MessagesReceived) / seconds, (after.MessagesSent - before.MessagesSent) / seconds);
        }
    }
}
