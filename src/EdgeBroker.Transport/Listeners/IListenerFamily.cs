namespace EdgeBroker.Transport.Listeners;

/// <summary>The listeners of some protocols, and the server behind them.</summary>
public interface IListenerFamily : IAsyncDisposable
{
    /// <summary>What it speaks.</summary>
    IReadOnlySet<ListenerProtocol> Protocols { get; }

    /// <summary>The listeners that accept, in the order in which they began.</summary>
    IReadOnlyList<IListener> Listeners { get; }

    /// <summary>Starts serving. Listeners may be opened before.</summary>
    Task StartAsync();

    /// <summary>Binds a listener's address; it accepts, and is one of <see cref="Listeners"/>, once it has begun.</summary>
    /// <exception cref="FormatException">The address makes no sense.</exception>
    /// <exception cref="IOException">The address cannot be listened on.</exception>
    /// <exception cref="Tls.CertificateFileException">A certificate file cannot be used.</exception>
    Task<IListener> OpenAsync(ListenerSettings settings);

    /// <summary>Takes the broker's newest limits over where the server keeps its own.</summary>
    void ApplyLimits();

    /// <summary>Judges every client by the users and rules now in force, of which whoever asks has told the authenticator.</summary>
    /// <returns>How many were disconnected.</returns>
    Task<int> ReviewAsync();

    /// <summary>Stops accepting, says goodbye to every client, and waits until they are gone or the time is up.</summary>
    Task StopAsync(TimeSpan timeout, TimeProvider time);
}
