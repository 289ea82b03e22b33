namespace EdgeBroker.Transport.Listeners;

/// <summary>A listener as seen by whoever changes the listeners of a running broker. One at a time may do so.</summary>
public interface IListener
{
    /// <summary>As configured.</summary>
    ListenerSettings Settings { get; }

    /// <summary>Where it listens, with the port the system chose.</summary>
    string EndPoint { get; }

    /// <summary>Begins to accept, once; the address is bound already.</summary>
    Task BeginAsync();

    /// <summary>Reads what other settings need read. Nothing changes until that is applied; disposed of instead, nothing has.</summary>
    /// <param name="next">With the same protocol and address.</param>
    /// <exception cref="Tls.CertificateFileException">A certificate file cannot be used.</exception>
    IListenerChange Prepare(ListenerSettings next);

    /// <summary>Gives the address free; its clients stay connected.</summary>
    Task SuspendAsync();

    /// <summary>After <see cref="SuspendAsync"/>: takes the address again and goes on.</summary>
    /// <exception cref="IOException">Somebody else has taken it.</exception>
    Task ResumeAsync();

    /// <summary>Ends it for good: the address is free, and its clients are told (5.0: DISCONNECT 0x98) and disconnected.</summary>
    Task RemoveAsync();

    /// <summary>Ends one that has never begun.</summary>
    Task AbandonAsync();
}

/// <summary>Other settings for a listener, with everything read that they need. Applied once, or disposed of without a trace.</summary>
public interface IListenerChange : IDisposable
{
    /// <summary>Puts them in force, for connections that come from here on; who is connected stays until reviewed.</summary>
    /// <returns>Whether new connections get something else than before from certificate files, which may have changed where the settings have not.</returns>
    bool Apply();
}
