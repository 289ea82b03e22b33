using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;

namespace EdgeBroker.Mqtt.Connections;

/// <summary>An accepted CONNECT between parsing and CONNACK: what of it is needed when the authenticator has answered.</summary>
internal sealed class PendingConnect
{
    public required string ClientId { get; init; }

    /// <summary>Whether the broker chose the client id and has to tell it.</summary>
    public bool IsAssignedId { get; init; }

    public bool CleanStart { get; init; }

    public required SessionGrant Grant { get; init; }

    /// <summary>The expiry the client asked for; told back when the grant differs.</summary>
    public uint RequestedExpirySeconds { get; init; }

    public int RequestedKeepAliveSeconds { get; init; }

    public int KeepAliveSeconds { get; init; }

    public bool WantsResponseInformation { get; set; }

    /// <summary>What looks at its login when the wait is over that it was given; null: there is none.</summary>
    public IAuthenticationExchange? WaitingLogin { get; set; }
}
