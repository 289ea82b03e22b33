namespace EdgeBroker.Transport.Tls;

/// <summary>What all TLS connections of one listener share. Any thread.</summary>
public interface ITlsPort
{
    /// <summary>What a handshake that begins now works with.</summary>
    TlsMaterial Material { get; }

    /// <summary>The handshakes in progress.</summary>
    HandshakeSlots Slots { get; }

    /// <summary>The clock by which certificates are valid.</summary>
    TimeProvider Time { get; }

    /// <summary>A handshake succeeded.</summary>
    void OnSucceeded();

    /// <summary>One failed, or a client refused our certificate after it.</summary>
    void OnFailed(string peer, string cause);

    /// <summary>One was not begun, or given up, because too many are in progress.</summary>
    void OnRefused(string peer);
}

/// <summary>What a TLS connection is for; called on its own thread.</summary>
public interface ITlsUser
{
    /// <summary>The handshake is done.</summary>
    /// <param name="connection">The plain bytes.</param>
    /// <param name="identity">The user name the client's certificate stands for; null: none.</param>
    /// <returns>What speaks over it.</returns>
    IConnectionHandler Serve(TlsConnection connection, string? identity);

    /// <summary>The connection is no more. Called once, last.</summary>
    void OnEnded(TlsConnection connection);
}
