using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Security;

namespace EdgeBroker.Coap.Gateway;

/// <summary>Who a peer is: let in under a name, with rights, and what it publishes with.</summary>
internal sealed class CoapClient(string credentials, AclSubject subject, AuthenticationResult identity, bool isNamed, LocalClient publisher) : IDisposable
{
    /// <summary>What it has shown, in a form that tells two apart and keeps no password.</summary>
    public string Credentials { get; } = credentials;

    /// <summary>Whom rules are about.</summary>
    public AclSubject Subject { get; } = subject;

    /// <summary>What it was let in with.</summary>
    public AuthenticationResult Identity { get; } = identity;

    /// <summary>Publishes and reads under its rights.</summary>
    public LocalClient Publisher { get; } = publisher;

    /// <summary>Names it, wherever it is; null: only its end point does.</summary>
    public string? StableName => isNamed ? $"{Subject.UserName}\u0001{Subject.ClientId}" : null;

    public void Dispose() => Publisher.Dispose();
}
