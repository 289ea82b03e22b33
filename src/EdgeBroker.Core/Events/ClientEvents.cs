using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Events;

/// <summary>A connected client, as far as others want to know.</summary>
/// <param name="ClientId">Its client id.</param>
/// <param name="UserName">The name it authenticated as; null: anonymous.</param>
/// <param name="RemoteEndPoint">Where it connects from.</param>
/// <param name="Listener">The listener it came by, as configured.</param>
/// <param name="Transport">What carries MQTT: <c>tcp</c>, <c>tls</c>, <c>ws</c>, <c>wss</c> or <c>unix</c>; CoAP: <c>udp</c> or <c>dtls</c>.</param>
/// <param name="Version">The version of MQTT it speaks.</param>
/// <param name="KeepAliveSeconds">The keep alive in force.</param>
public readonly record struct ClientDescription(
    string ClientId, string? UserName, string RemoteEndPoint, string Listener, string Transport, ProtocolVersion Version, int KeepAliveSeconds)
{
    /// <summary>What it speaks in place of MQTT, <c>coap</c> or <c>coaps</c>; null: MQTT.</summary>
    public string? OtherProtocol { get; init; }

    /// <summary>What it speaks, in a word: <c>3.1.1</c>, <c>5.0</c>, <c>coap</c> or <c>coaps</c>.</summary>
    public string Protocol => OtherProtocol ?? (Version == ProtocolVersion.V5 ? "5.0" : "3.1.1");
}

/// <summary>A CONNECT was accepted.</summary>
/// <param name="Client">The client.</param>
/// <param name="SessionPresent">Whether it resumed its session.</param>
/// <param name="CleanStart">Whether it asked for a new one.</param>
/// <param name="SessionExpirySeconds">How long its session outlives the connection; 0: not at all.</param>
/// <param name="Identity">The name its transport has proved: its certificate's, or the kernel's; null: none.</param>
public readonly record struct ConnectedEvent(
    ClientDescription Client, bool SessionPresent, bool CleanStart, long SessionExpirySeconds, string? Identity);

/// <summary>Who ended a connection.</summary>
public enum DisconnectedBy
{
    /// <summary>The client, by DISCONNECT.</summary>
    Client,

    /// <summary>The broker: a rule was broken, the session was taken over, somebody wanted it.</summary>
    Broker,

    /// <summary>The network: it broke, was closed without DISCONNECT, or nothing was heard for too long.</summary>
    Network,
}

/// <summary>An accepted connection ended.</summary>
/// <param name="Client">The client.</param>
/// <param name="By">Who ended it.</param>
/// <param name="Reason">The reason code of DISCONNECT, sent or received; of one that just ended: <see cref="ReasonCode.UnspecifiedError"/>.</param>
/// <param name="Explanation">One phrase.</param>
/// <param name="ConnectedMs">How long it was connected.</param>
/// <param name="SessionKept">Whether its session outlives it.</param>
/// <param name="WillPublished">Whether its will was published now.</param>
public readonly record struct DisconnectedEvent(
    ClientDescription Client, DisconnectedBy By, ReasonCode Reason, string Explanation, long ConnectedMs, bool SessionKept, bool WillPublished);

/// <summary>A client connected while another connection had its client id. Told between the end of that one and the beginning of the new one.</summary>
/// <param name="Client">The new connection's client.</param>
/// <param name="PreviousEndPoint">Where the other one came from.</param>
/// <param name="IsSameUser">Whether both are of the same user; if not, the session was not handed on.</param>
public readonly record struct TakenOverEvent(ClientDescription Client, string PreviousEndPoint, bool IsSameUser);

/// <summary>A connection was refused or broke the rules before it was accepted.</summary>
/// <param name="RemoteEndPoint">Where it came from.</param>
/// <param name="ClientId">Its client id; null: it had none yet.</param>
/// <param name="Reason">The reason code.</param>
/// <param name="Explanation">One phrase, for whoever runs the broker.</param>
/// <param name="Listener">The address of the listener it came by, as configured; null: not known.</param>
/// <param name="UserName">The user name it gave; null: none.</param>
public readonly record struct ConnectRefusedEvent(
    string RemoteEndPoint, string? ClientId, ReasonCode Reason, string Explanation, string? Listener = null, string? UserName = null);

/// <summary>A client was authenticated, at CONNECT or again later.</summary>
/// <param name="Client">The client.</param>
/// <param name="Method">What it was let in by.</param>
public readonly record struct AuthenticationSucceededEvent(ClientDescription Client, AuthenticationMethod Method);

/// <summary>A client was not authenticated, at CONNECT or again later.</summary>
/// <param name="Client">The client, under the user name it gave.</param>
/// <param name="Method">What it tried to be let in by.</param>
/// <param name="Reason">The reason code.</param>
/// <param name="Cause">Why, for whoever runs the broker; null: nobody says. Never a secret.</param>
public readonly record struct AuthenticationFailedEvent(ClientDescription Client, AuthenticationMethod Method, ReasonCode Reason, string? Cause);
