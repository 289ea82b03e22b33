using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Metrics;

/// <summary>Counts what the broker tells of connections and refusals, by a few words each. It asks for nothing that happens with every message.</summary>
public sealed class EventCounters : BrokerEventSink
{
    private static readonly string[] Refusals =
        ["protocol", "version", "client-id", "credentials", "not-authorized", "unavailable", "busy", "method", "too-large", "quota", "rate", "other"];
    private static readonly string[] Ends =
        ["normal", "will", "keep-alive", "taken-over", "shutdown", "administrative", "protocol", "not-authorized", "too-large", "limit", "other"];
    private static readonly string[] Errors = ["protocol", "auth", "authz"];

    private readonly long[] _connections = new long[LinkKind.Protocols.Length];
    private readonly long[] _refused = new long[Refusals.Length];
    private readonly long[] _ended = new long[Ends.Length * Enum.GetValues<DisconnectedBy>().Length];
    private readonly long[] _errors = new long[Errors.Length];

    /// <inheritdoc/>
    public override EventKinds Wanted =>
        EventKinds.ClientConnected | EventKinds.ClientDisconnected | EventKinds.ConnectRefused | EventKinds.AuthenticationFailed
        | EventKinds.PublishRefused | EventKinds.SubscribeRefused;

    /// <summary>Registers them. What never happened is not told: most of it cannot.</summary>
    public void RegisterMeters(MeterRegistry meters)
    {
        Register(
            "mqtt.connections.total", MeterUnit.Connections, "clients that were let in", _connections,
            i => [new MeterTag("listener.protocol", LinkKind.Protocols[i])]);
        Register("mqtt.connections.refused.total", MeterUnit.Connections, "clients that were not", _refused, i => [new MeterTag("reason", Refusals[i])]);
        Register(
            "mqtt.disconnections.total", MeterUnit.Connections, "connections that ended, by who ended them and why", _ended,
            i =>
            [
                new MeterTag("by", ((DisconnectedBy)(i / Ends.Length)).ToString().ToLowerInvariant()),
                new MeterTag("reason", Ends[i % Ends.Length]),
            ]);
        Register("mqtt.errors.total", "{error}", "errors by kind; internal ones are bugs of the broker", _errors, i => [new MeterTag("kind", Errors[i])]);

        void Register(string name, string unit, string help, long[] counts, Func<int, MeterTag[]> tags)
        {
            for (int i = 0; i < counts.Length; i++)
            {
                int at = i;
                meters.Counter(name, unit, help, () => Volatile.Read(ref counts[at]) is > 0 and long count ? count : null, tags: tags(i));
            }
        }
    }

    /// <inheritdoc/>
    public override void ClientConnected(in ConnectedEvent what) => Interlocked.Increment(ref _connections[LinkKind.ProtocolOf(what.Client.Transport)]);

    /// <inheritdoc/>
    public override void ClientDisconnected(in DisconnectedEvent what)
    {
        string reason = what.Reason switch
        {
            ReasonCode.Success => "normal",
            ReasonCode.DisconnectWithWill => "will",
            ReasonCode.KeepAliveTimeout => "keep-alive",
            ReasonCode.SessionTakenOver => "taken-over",
            ReasonCode.ServerShuttingDown => "shutdown",
            ReasonCode.AdministrativeAction => "administrative",
            ReasonCode.NotAuthorized => "not-authorized",
            ReasonCode.PacketTooLarge => "too-large",
            ReasonCode.QuotaExceeded or ReasonCode.MessageRateTooHigh or ReasonCode.ReceiveMaximumExceeded => "limit",
            ReasonCode.ProtocolError or ReasonCode.MalformedPacket or ReasonCode.TopicAliasInvalid or ReasonCode.TopicNameInvalid
                or ReasonCode.TopicFilterInvalid => "protocol",
            _ => "other",
        };
        Interlocked.Increment(ref _ended[((int)what.By * Ends.Length) + Array.IndexOf(Ends, reason)]);
        if (reason == "protocol") Count(_errors, Errors, "protocol");
    }

    /// <inheritdoc/>
    public override void ConnectRefused(in ConnectRefusedEvent what)
    {
        string reason = what.Reason switch
        {
            ReasonCode.ProtocolError or ReasonCode.MalformedPacket => "protocol",
            ReasonCode.UnsupportedProtocolVersion => "version",
            ReasonCode.ClientIdentifierNotValid => "client-id",
            ReasonCode.BadUserNameOrPassword => "credentials",
            ReasonCode.NotAuthorized or ReasonCode.Banned => "not-authorized",
            ReasonCode.ServerUnavailable or ReasonCode.ServerShuttingDown => "unavailable",
            ReasonCode.ServerBusy => "busy",
            ReasonCode.BadAuthenticationMethod => "method",
            ReasonCode.PacketTooLarge => "too-large",
            ReasonCode.QuotaExceeded => "quota",
            ReasonCode.ConnectionRateExceeded => "rate",
            _ => "other",
        };
        Count(_refused, Refusals, reason);
        if (reason == "protocol") Count(_errors, Errors, "protocol");
    }

    /// <inheritdoc/>
    public override void AuthenticationFailed(in AuthenticationFailedEvent what) => Count(_errors, Errors, "auth");

    /// <inheritdoc/>
    public override void PublishRefused(in RefusedEvent what) => CountRefusal(what.Reason);

    /// <inheritdoc/>
    public override void SubscribeRefused(in RefusedEvent what) => CountRefusal(what.Reason);

    private void CountRefusal(ReasonCode reason)
    {
        if (reason == ReasonCode.NotAuthorized) Count(_errors, Errors, "authz");
    }

    private static void Count(long[] counts, string[] words, string word) => Interlocked.Increment(ref counts[Array.IndexOf(words, word)]);
}
