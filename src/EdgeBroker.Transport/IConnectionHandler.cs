namespace EdgeBroker.Transport;

/// <summary>
/// The protocol side of a connection. The transport calls it from one thread at a time, never under a lock of its own. An exception that leaves one of its
/// methods is a bug, and costs this connection only: the transport reports it and closes the connection.
/// </summary>
public interface IConnectionHandler
{
    /// <summary>Whether the peer has logged in: what it sends is counted apart then. On the connection's own thread.</summary>
    bool HasLoggedIn { get; }

    /// <summary>Takes received bytes.</summary>
    /// <param name="bytes">All bytes received and not yet consumed, in one piece; valid during the call.</param>
    /// <param name="announcedBytes">The length of the unit that begins behind the consumed bytes, when it is known; else 0. Only a hint for buffering.</param>
    /// <returns>How many were consumed; the rest is given again with what follows it.</returns>
    int Receive(ReadOnlySpan<byte> bytes, out int announcedBytes);

    /// <summary>More has come of a unit that is known to be incomplete, and is not handed before it is whole.</summary>
    void NoteArrival()
    {
    }

    /// <summary>The callback that was asked for with <see cref="TransportConnection.RequestCallback"/>, or the output has drained as asked.</summary>
    void OnCallback();

    /// <summary>The deadline has passed that was set with <see cref="TransportConnection.SetDeadline"/>.</summary>
    void OnDeadline();

    /// <summary>The connection is over: the peer has closed it, it broke, or it was closed here. Called once, last.</summary>
    /// <param name="explanation">One phrase for the log.</param>
    /// <param name="isFault">Whether an exception of this handler ended it: what it was changing at that time may be half changed.</param>
    void OnClosed(string explanation, bool isFault);
}
