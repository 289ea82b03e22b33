using System.Security.Authentication;

namespace EdgeBroker.Transport.Tls;

/// <summary>Says why a handshake failed, in words a technician can act on.</summary>
public static class HandshakeFailure
{
    /// <summary>It took too long.</summary>
    public const string Late = "it was not completed in time (listener.tls.handshake_timeout)";

    /// <summary>The client went away. Its alert may have been lost with the connection.</summary>
    public const string Left =
        "the client closed the connection in the middle of it; most that do so do not trust our certificate: its issuer, its names or its dates";

    // What OpenSSL says, in the order in which it is looked for. An alert is what the client told us.
    private static readonly (string Text, string Cause)[] Known =
    [
        ("alert unknown ca", "the client does not trust our certificate: its CA file does not hold our issuer"),
        ("alert certificate unknown", "the client refused our certificate: expired, of another name than the client asked for, "
            + "or of an issuer it does not trust"),
        ("alert certificate expired", "the client refused our certificate: it is expired, or the client's clock is wrong"),
        ("alert bad certificate", "the client refused our certificate: of another name than the client asked for, or damaged"),
        ("alert certificate revoked", "the client refused our certificate: it is revoked"),
        ("alert certificate required", "the client says that a certificate is required"),
        ("alert handshake failure", "the client refused the handshake: no cipher or key type in common"),
        ("alert protocol version", "the client refused our TLS version"),
        ("alert internal error", "the client had an internal error"),
        ("alert user cancelled", "the client gave up"),
        ("unsupported protocol", "the client speaks an older TLS than the listener accepts (listener.tls.min_version)"),
        ("version too low", "the client speaks an older TLS than the listener accepts (listener.tls.min_version)"),
        ("no shared cipher", "client and broker have no cipher in common"),
        ("no suitable signature algorithm", "the client cannot use the key type of our certificate"),
        ("no shared signature algorithm", "the client cannot use the key type of our certificate"),
        ("bad signature", "the client could not prove that its certificate is its own"),
        ("wrong version number", "what the client sent is no TLS"),
        ("http request", "the client sent a plain HTTP request; it must use TLS here"),
    ];

    /// <summary>A phrase for a failed handshake.</summary>
    public static string Explain(Exception failure)
    {
        Exception root = failure.GetBaseException();
        foreach ((string text, string cause) in Known)
        {
            if (root.Message.Contains(text, StringComparison.OrdinalIgnoreCase)) return cause;
        }

        return failure switch
        {
            OperationCanceledException => Late,
            AuthenticationException => root.Message,
            IOException => Left,
            _ => root.Message,
        };
    }

    /// <summary>
    /// What the client said after a handshake that was complete for us: in TLS 1.3 it looks at our certificate only then. Null: nothing of the kind.
    /// </summary>
    public static string? Alert(Exception? failure)
    {
        string? message = failure?.GetBaseException().Message;
        return message is not null && message.Contains(" alert ", StringComparison.OrdinalIgnoreCase) ? Explain(failure!) : null;
    }
}
