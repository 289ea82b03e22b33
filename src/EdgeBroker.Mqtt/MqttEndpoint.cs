using EdgeBroker.Core;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt;

/// <summary>What all MQTT connections of one listener share.</summary>
public sealed class MqttEndpoint
{
    private volatile bool _anonymousAllowed;
    private volatile bool _isRemoved;

    /// <param name="broker">The broker.</param>
    /// <param name="authenticator">Who decides about clients.</param>
    /// <param name="anonymousAllowed">Whether the listener lets clients in that present nothing.</param>
    public MqttEndpoint(Broker broker, IAuthenticator authenticator, bool anonymousAllowed)
    {
        Broker = broker;
        Authenticator = authenticator;
        _anonymousAllowed = anonymousAllowed;
        broker.Loops = TransportLoops.Instance;
    }

    /// <summary>The broker.</summary>
    public Broker Broker { get; }

    /// <summary>Who decides about clients.</summary>
    public IAuthenticator Authenticator { get; }

    /// <summary>Whether the listener lets clients in that present nothing. It may change while clients are connected; they are reviewed then.</summary>
    public bool AnonymousAllowed
    {
        get => _anonymousAllowed;
        set => _anonymousAllowed = value;
    }

    /// <summary>Whether the listener is no more: who was accepted before and comes to be served after is sent away.</summary>
    public bool IsRemoved
    {
        get => _isRemoved;
        set => _isRemoved = value;
    }

    /// <summary>The listener's address as configured, by which access rules name it.</summary>
    public string Listener { get; init; } = "";

    /// <summary>What carries MQTT here: <c>tcp</c>, <c>tls</c>, <c>ws</c>, <c>wss</c> or <c>unix</c>.</summary>
    public string Transport { get; init; } = "tcp";

    /// <summary>What an identity that was let in is worth by the users and rules now in force, and by the listener's settings.</summary>
    internal AuthenticationResult Judge(AuthenticationResult identity, string clientId) => identity.UserName is null && !AnonymousAllowed
        ? AuthenticationResult.Refused(ReasonCode.NotAuthorized, "anonymous, and the listener does not let anonymous clients in any more")
        : Authenticator.Review(identity, new AclSubject(identity.UserName, clientId, Listener, identity.Method));
}
