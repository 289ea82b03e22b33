using EdgeBroker.Core;
using EdgeBroker.Core.Security;

namespace EdgeBroker.Mqtt;

/// <summary>What all MQTT connections of one listener share.</summary>
/// <param name="Broker">The broker.</param>
/// <param name="Authenticator">Who decides about clients.</param>
/// <param name="AnonymousAllowed">Whether the listener lets clients in that present nothing.</param>
public sealed record MqttEndpoint(Broker Broker, IAuthenticator Authenticator, bool AnonymousAllowed)
{
    /// <summary>The listener's address as configured, by which access rules name it.</summary>
    public string Listener { get; init; } = "";
}
