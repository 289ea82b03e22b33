using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core;

// Sessions that other nodes have to do with.
public sealed partial class Broker
{
    /// <summary>The clients whose sessions outlive their connections, and who began them, in no order. The broker's own are not among them.</summary>
    public IEnumerable<(string ClientId, string? UserName)> KeptSessions => _sessions
        .Where(one => one.Value is { OutlivesConnection: true, HasEnded: false } && !ReservedIds.IsReserved(System.Text.Encoding.UTF8.GetBytes(one.Key)))
        .Select(one => (one.Key, one.Value.UserName));

    /// <summary>Closes the connection of a client that has come to another node. Does nothing where another connection has the session by now.</summary>
    /// <param name="lease">The connection's right.</param>
    public void CloseConnection(ConnectionLease lease)
    {
        using OwnCall call = BeginOwnCall();
        lease.Session.Close(lease, ReasonCode.SessionTakenOver);
    }

    /// <summary>Closes whatever connection a client has here, since it has a newer one on another node.</summary>
    /// <param name="clientId">The client id.</param>
    public void CloseConnection(string clientId)
    {
        if (FindSession(clientId) is not { } session) return;
        using OwnCall call = BeginOwnCall();
        session.Link?.Close(ReasonCode.SessionTakenOver);
    }

    /// <summary>Ends a client's session, which its client wants no more, and closes its connection.</summary>
    /// <param name="clientId">The client id.</param>
    /// <returns>What is on disk when the session is over there too; null: nothing to wait for.</returns>
    public Completion? EndSession(string clientId)
    {
        if (FindSession(clientId) is not { } session) return null;
        using OwnCall call = BeginOwnCall();
        return session.GiveWay() is { } ending ? Finish(session, ending, call.Context) : null;
    }

    /// <summary>
    /// Is told of each client that has another will than before, or none any more; any thread, perhaps under a lock, so it only notes that. Null: nobody.
    /// Set before the first connection.
    /// </summary>
    public Action<string>? WillChanged
    {
        get => _environment.WillChanged;
        set => _environment.WillChanged = value;
    }

    /// <summary>The clients that have a will, connected or not, in no order.</summary>
    public IEnumerable<string> ClientsWithWill => _sessions.Where(one => one.Value.FindWill() is not null).Select(one => one.Key);

    /// <summary>A client's will; null: it has none.</summary>
    /// <param name="clientId">The client id.</param>
    public HeldWill? FindWill(string clientId) => FindSession(clientId)?.FindWill();

    /// <summary>
    /// Takes a client's will away, which another node publishes since it took this one for dead, and closes its connection: it comes again, and says that it
    /// is there.
    /// </summary>
    /// <param name="clientId">The client id.</param>
    public void DiscardWill(string clientId)
    {
        if (FindSession(clientId) is not { } session) return;
        using OwnCall call = BeginOwnCall();
        session.DiscardWill()?.Close(ReasonCode.ServerBusy);
    }

    /// <summary>Publishes the will of a client whose node is dead.</summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="will">The will.</param>
    /// <returns>What is on disk when it will not be forgotten any more; null: nothing to wait for.</returns>
    public Completion? PublishWill(string clientId, HeldWill will)
    {
        using OwnCall call = BeginOwnCall();
        if (JudgeRestoredWill?.Invoke(clientId, will.UserName, will.Message) is { } cause)
        {
            call.Context.Counters.CountDropped(DropReason.NotPermitted);
            TellWillRefused(will.Message, clientId, will.UserName, cause);
            return null;
        }

        return Publish(OfWill(will.Message, will.ExpirySeconds, publisher: null), call.Context).Completion;
    }
}
