using EdgeBroker.Core.Events;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Metrics;

/// <summary>Connections and refusals, counted by a few words each.</summary>
public sealed class EventCountersTests : IDisposable
{
    private static readonly ClientDescription Client = new("c", "u", "10.0.0.1:1", "0.0.0.0:8883", "tls", ProtocolVersion.V5, 60);

    private readonly MeterRegistry _meters = new();
    private readonly EventCounters _counters = new();

    public EventCountersTests() => _counters.RegisterMeters(_meters);

    public void Dispose() => _meters.Dispose();

    [Fact]
    public void What_never_happened_is_not_told() => Assert.All(_meters.Entries, entry => Assert.Null(entry.Read()));

    [Fact]
    public void Each_reason_code_has_a_word_and_is_counted_once()
    {
        ReasonCode[] codes = Enum.GetValues<ReasonCode>();
        foreach (ReasonCode code in codes)
        {
            _counters.ConnectRefused(new ConnectRefusedEvent("10.0.0.1:1", "c", code, "why"));
            foreach (DisconnectedBy by in Enum.GetValues<DisconnectedBy>())
            {
                _counters.ClientDisconnected(new DisconnectedEvent(Client, by, code, "why", 1, false, false));
            }
        }

        Assert.Equal(codes.Length, Sum("mqtt.connections.refused.total"));
        Assert.Equal(3 * codes.Length, Sum("mqtt.disconnections.total"));
        Assert.Equal(1, Sum("mqtt.connections.refused.total", "credentials"));
        Assert.Equal(1, Sum("mqtt.disconnections.total", "keep-alive", "network"));
        Assert.InRange(_meters.Entries.Count(entry => entry.Name == "mqtt.connections.refused.total"), 1, 12);
    }

    [Fact]
    public void Connections_are_counted_by_protocol_and_errors_by_kind()
    {
        _counters.ClientConnected(new ConnectedEvent(Client, false, true, 0, null));
        _counters.ClientConnected(new ConnectedEvent(Client with { Transport = "carrier pigeon" }, false, true, 0, null));
        _counters.AuthenticationFailed(new AuthenticationFailedEvent(Client, AuthenticationMethod.Password, ReasonCode.BadUserNameOrPassword, null));
        _counters.PublishRefused(new RefusedEvent { ClientId = "c", Topic = "t"u8, Reason = ReasonCode.NotAuthorized });
        _counters.SubscribeRefused(new RefusedEvent { ClientId = "c", Topic = "t"u8, Reason = ReasonCode.NotAuthorized });
        _counters.PublishRefused(new RefusedEvent { ClientId = "c", Topic = "t"u8, Reason = ReasonCode.QuotaExceeded });
        Assert.Equal((1, 1), (Sum("mqtt.connections.total", "mqtts"), Sum("mqtt.connections.total", "other")));
        Assert.Equal((1, 2), (Sum("mqtt.errors.total", "auth"), Sum("mqtt.errors.total", "authz")));
    }

    [Fact]
    public void It_asks_for_nothing_that_happens_with_every_message() =>
        Assert.Equal(EventKinds.None, _counters.Wanted & (EventKinds.MessagePublished | EventKinds.MessageDelivered | EventKinds.MessageRetained));

    private long Sum(string name, params string[] words) =>
        _meters.Entries.Where(entry => entry.Name == name && words.All(word => entry.Tags.Any(tag => tag.Value == word))).Sum(entry => entry.Read() ?? 0);
}
