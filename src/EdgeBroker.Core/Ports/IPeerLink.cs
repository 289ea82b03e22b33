using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Routing;

namespace EdgeBroker.Core.Ports;

/// <summary>
/// The link to another node, as its outbox sees it. Called on publishers' threads, also under the lock of one of the outbox's lanes: writes to an output and
/// returns, and takes no lock.
/// </summary>
public interface IPeerLink
{
    /// <summary>Whether the output can take another message; read without a lock, as a hint.</summary>
    bool HasRoom { get; }

    /// <summary>Writes a message of a lane.</summary>
    /// <param name="life">The life of the outbox the lane is of.</param>
    /// <param name="lane">The lane.</param>
    /// <param name="position">The message's position there.</param>
    /// <param name="message">The message.</param>
    /// <param name="group">The shared filter of which one member gets it; empty: all who subscribe do.</param>
    /// <returns>False: it is larger than the node takes, and nothing is written.</returns>
    bool TrySend(long life, byte lane, long position, in Publication message, ReadOnlySpan<byte> group);

    /// <summary>Writes a message that is sent once and not acknowledged; false, and nothing written, when the output is full.</summary>
    /// <param name="message">The message.</param>
    /// <param name="group">The shared filter of which one member gets it; empty: all who subscribe do.</param>
    bool TrySendOnce(in Publication message, ReadOnlySpan<byte> group);

    /// <summary>Writes the messages of a segment, of QoS 0; what finds the output full is left out.</summary>
    /// <returns>How many were left out.</returns>
    int SendOnce(in MessageSegment messages);

    /// <summary>Asks for <c>PeerOutbox.Pump</c> on the thread that serves the cluster: there is something to send.</summary>
    void RequestPump();

    /// <summary>Ends the link after a bug. Whoever serves it does so later.</summary>
    void Fail(string cause);
}
