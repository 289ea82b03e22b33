using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Sessions;

/// <summary>When a session that is to move is copied, and when not.</summary>
public sealed class MoveTests
{
    private readonly TestJournal _journal = new();
    private readonly Bench _bench;
    private int _changes;

    public MoveTests() => _bench = new Bench(journal: _journal);

    [Fact]
    public void A_copy_waits_until_what_was_received_is_on_disk()
    {
        Client client = _bench.Connect("c", expirySeconds: 60);
        client.Session.TryBeginExactlyOnce(client.Lease, 7, isDup: false, 10, out _);
        var received = new Publication { Topic = "a"u8, Payload = "m"u8, QoS = QoS.ExactlyOnce, ReceivedId = 7, Publisher = client.Session };
        _bench.Broker.Publish(received, _bench.Context);
        client.Drop();
        Session session = Pin("c")!;
        Assert.Null(Copy(session));
        _journal.Commit();
        Assert.Equal(1, _changes);
        Assert.Equal([7], Copy(session)!.ReceivedIds);
    }

    [Fact]
    public void A_copy_waits_until_the_connection_is_gone()
    {
        Client client = _bench.Connect("c", expirySeconds: 60, will: Bench.WillOf("w", "gone"));
        Session session = Pin("c")!;
        Assert.Equal(ReasonCode.SessionTakenOver, client.Link.ClosedWith);
        Assert.Null(Copy(session));
        client.Drop();
        Assert.Equal(1, _changes);
        // It was due with the end of the connection, and does not move.
        Assert.Null(Copy(session)!.Will);
    }

    [Fact]
    public void A_session_that_moves_is_served_to_its_client_until_it_has_moved()
    {
        Client client = _bench.Connect("c", expirySeconds: 60);
        client.Subscribe("a", QoS.AtLeastOnce);
        client.Drop();
        Session session = Pin("c")!;
        Assert.Null(Pin("c"));
        _bench.Publish("a", "m", QoS.AtLeastOnce);
        Assert.Single(Copy(session)!.Messages);
        client = _bench.Connect("c", expirySeconds: 60);
        Assert.Null(Copy(session));
        client.Pump();
        Assert.Equal(["m"], client.Payloads.Where(payload => payload.Length > 0));
        Assert.Null(_bench.Broker.EndMoved(session));
        Assert.False(session.HasEnded);
        _bench.Broker.Unpin(session);
        Assert.NotNull(Pin("c"));
    }

    [Fact]
    public void A_session_that_has_ended_is_not_copied()
    {
        _bench.Connect("c", expirySeconds: 60).Drop();
        Session session = Pin("c")!;
        _bench.Broker.EndSession("c");
        Assert.Null(_bench.Broker.TryExport(session, out bool hasFailed));
        Assert.True(hasFailed);
    }

    [Fact]
    public void A_will_that_moves_is_not_published_where_it_was()
    {
        Client watcher = _bench.Connect("watcher");
        watcher.Subscribe("w");
        _bench.Connect("c", expirySeconds: 60, will: Bench.WillOf("w", "gone", delaySeconds: 30)).Drop();
        Session session = Pin("c")!;
        SessionSnapshot copy = Copy(session)!;
        Assert.Equal(30_000, copy.WillInMs);
        var target = new Bench();
        Client watcherThere = target.Connect("watcher");
        watcherThere.Subscribe("w");
        Session shadow = target.Broker.OpenShadow("c", copy.Subscriptions)!;
        Assert.True(target.Broker.TryImport(shadow, copy, default, out Completion? committed));
        Assert.Null(committed);
        _bench.Broker.EndMoved(session);
        _bench.Advance(31);
        target.Advance(31);
        Assert.DoesNotContain("gone", watcher.Payloads);
        Assert.Contains("gone", watcherThere.Payloads);
        target.Advance(30);
        Assert.Null(target.Broker.FindSession("c"));
    }

    private Session? Pin(string clientId) => _bench.Broker.Pin(clientId, () => _changes++);

    private SessionSnapshot? Copy(Session session)
    {
        SessionSnapshot? copy = _bench.Broker.TryExport(session, out bool hasFailed);
        Assert.False(hasFailed);
        return copy;
    }
}
