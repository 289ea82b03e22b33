using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Security;

namespace EdgeBroker.Coap.Gateway;

/// <summary>
/// The CoAP clients of all listeners by client id, for whoever looks after the broker: a client is one however many peers it has - its old port behind a NAT, a
/// second association -, and its client id belongs to one user, as an MQTT client's does. Any thread.
/// </summary>
/// <param name="broker">The broker.</param>
internal sealed class CoapClients(Broker broker)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, CoapPresence> _byId = new(StringComparer.Ordinal);
    private long _number;

    /// <summary>What they observe that outlives their associations.</summary>
    public DurableObservations Durables { get; } = new(broker);

    /// <summary>Lets a client in under its client id; false: that is another user's.</summary>
    public bool TryEnter(CoapClient client)
    {
        AclSubject subject = client.Subject;
        if (broker.FindOwner(subject.ClientId, subject.UserName) is not null) return false;
        bool isFirst = false;
        lock (_lock.Alone())
        {
            if (!_byId.TryGetValue(subject.ClientId, out CoapPresence? presence))
            {
                _byId.Add(subject.ClientId, presence = new CoapPresence(broker, subject.ClientId));
                isFirst = true;
            }
            else if (presence.Members.Any(one => one.Subject.UserName is { } owner && owner != subject.UserName))
            {
                return false;
            }

            client.Number = ++_number;
            client.ConnectedAtMs = broker.Clock.NowMs;
            presence.Add(client);
            if (isFirst) broker.Show(presence);
        }

        if (isFirst && client.IsTold) TellConnected(client);
        return true;
    }

    /// <summary>A client has one peer less.</summary>
    public void Leave(CoapClient client)
    {
        bool isLast;
        lock (_lock.Alone())
        {
            if (!_byId.TryGetValue(client.Subject.ClientId, out CoapPresence? presence) || !presence.Remove(client)) return;
            isLast = presence.Members.Count == 0;
            if (isLast)
            {
                _byId.Remove(client.Subject.ClientId);
                broker.Hide(presence);
            }
        }

        if (!isLast || !client.IsTold || !broker.Events.Wants(EventKinds.ClientDisconnected)) return;
        ClientEnding end = client.Ending;
        broker.Events.ClientDisconnected(new DisconnectedEvent(
            CoapPresence.Describe(client), end.By, end.Reason, end.Explanation, broker.Clock.NowMs - client.ConnectedAtMs, SessionKept: false,
            WillPublished: false));
    }

    private void TellConnected(CoapClient client)
    {
        if (!broker.Events.Wants(EventKinds.ClientConnected)) return;
        broker.Events.ClientConnected(new ConnectedEvent(
            CoapPresence.Describe(client), SessionPresent: false, CleanStart: true, SessionExpirySeconds: 0, client.ProvedName));
    }
}
