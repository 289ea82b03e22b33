using EdgeBroker.Core;
using EdgeBroker.Core.Security;

namespace EdgeBroker.Mqtt;

/// <summary>What all MQTT connections of one listener share.</summary>
/// <param name="broker">The broker.</param>
/// <param name="authenticator">Who decides about clients.</param>
/// <param name="anonymousAllowed">Whether the listener lets clients in that present nothing.</param>
public sealed class MqttEndpoint(Broker broker, IAuthenticator authenticator, bool anonymousAllowed)
{
    private volatile bool _anonymousAllowed = anonymousAllowed;
    private volatile bool _isRemoved;

    /// <summary>The broker.</summary>
    public Broker Broker { get; } = broker;

    /// <summary>Who decides about clients.</summary>
    public IAuthenticator Authenticator { get; } = authenticator;

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
}
