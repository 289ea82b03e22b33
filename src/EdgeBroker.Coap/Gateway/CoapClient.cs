using EdgeBroker.Coap.Messages;
using EdgeBroker.Coap.Resources;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Coap.Gateway;

/// <summary>Why a peer is a client no more.</summary>
/// <param name="By">Who ended it.</param>
/// <param name="Reason">In MQTT's codes.</param>
/// <param name="Explanation">One phrase.</param>
public readonly record struct ClientEnding(DisconnectedBy By, ReasonCode Reason, string Explanation)
{
    /// <summary>Nothing was heard of it for too long, or it did not acknowledge.</summary>
    public static readonly ClientEnding Silent = new(DisconnectedBy.Network, ReasonCode.KeepAliveTimeout, "nothing is heard of it any more");

    /// <summary>It said goodbye.</summary>
    public static readonly ClientEnding Goodbye = new(DisconnectedBy.Client, ReasonCode.Success, "it closed its association");

    /// <summary>Somebody wanted it.</summary>
    public static readonly ClientEnding Kicked = new(DisconnectedBy.Broker, ReasonCode.AdministrativeAction, ReasonText.For(ReasonCode.AdministrativeAction));

    /// <summary>The listener ends.</summary>
    public static readonly ClientEnding Stopping = new(DisconnectedBy.Broker, ReasonCode.ServerShuttingDown, ReasonText.For(ReasonCode.ServerShuttingDown));

    /// <summary>Users, keys or rules let it in no more.</summary>
    public static readonly ClientEnding NotLetIn = new(DisconnectedBy.Broker, ReasonCode.NotAuthorized, "it is not let in any more");
}

/// <summary>Who a peer is: let in under a name, with rights, and what it publishes with. Used by the server's thread.</summary>
/// <param name="server">Where its peer is remembered.</param>
/// <param name="executor">Runs what is done to it from outside.</param>
/// <param name="peer">The peer.</param>
internal sealed class CoapClient(ResourceServer server, ISerialExecutor executor, Peer peer) : IDisposable
{
    private bool _isDisposed;

    /// <summary>What it has shown, in a form that tells two apart and keeps no password.</summary>
    public required string Credentials { get; init; }

    /// <summary>Whom rules are about.</summary>
    public required AclSubject Subject { get; init; }

    /// <summary>What it was let in with.</summary>
    public required AuthenticationResult Identity { get; init; }

    /// <summary>Publishes and reads under its rights.</summary>
    public required LocalClient Publisher { get; init; }

    /// <summary>The clients it is one of.</summary>
    public required CoapClients Clients { get; init; }

    /// <summary>Whether it has given a name, or proved one: wherever it is, it is the same.</summary>
    public required bool IsNamed { get; init; }

    /// <summary>The name that its handshake has proved; null: none.</summary>
    public string? ProvedName { get; init; }

    /// <summary>Whether its comings and goings are told: who proves nothing may be an address that somebody has made up.</summary>
    public bool IsTold => ProvedName is not null || Subject.UserName is not null;

    /// <summary>Where its peer is remembered.</summary>
    public ResourceServer Server => server;

    /// <summary>The peer.</summary>
    public Peer Peer => peer;

    /// <summary>Runs what is done to it from outside.</summary>
    public ISerialExecutor Executor => executor;

    /// <summary>Which of all peers that were let in it is.</summary>
    public long Number { get; set; }

    /// <summary>When it was let in, by the broker's clock.</summary>
    public long ConnectedAtMs { get; set; }

    /// <summary>Messages it has published.</summary>
    public long Published { get; set; }

    /// <summary>Whether what it has shown is to be looked at again, since users or rules have changed.</summary>
    public bool IsStale { get; set; }

    /// <summary>Why it ends, when it does.</summary>
    public ClientEnding Ending { get; set; } = ClientEnding.Silent;

    /// <summary>Names it, wherever it is; null: only its end point does.</summary>
    public string? StableName => IsNamed ? $"{Subject.UserName}\u0001{Subject.ClientId}" : null;

    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        Clients.Leave(this);
        Publisher.Dispose();
    }
}
