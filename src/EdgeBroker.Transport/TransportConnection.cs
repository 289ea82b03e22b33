using System.Net;
using EdgeBroker.Transport.Buffers;
using EdgeBroker.Transport.Reactors;

namespace EdgeBroker.Transport;

/// <summary>A connection as its handler sees it: bytes go out through <see cref="Output"/>; reading, flushing and time are the transport's.</summary>
public abstract class TransportConnection
{
    /// <summary>What a handler is told when an exception of its own ended the connection.</summary>
    protected const string FaultExplanation = "an internal error of the broker";

    private volatile bool _isClosing;

    /// <summary>
    /// The protocol side; set before the first event. On the connection's own thread a handler may give its place to another, and hands that one what it has
    /// been given and not consumed.
    /// </summary>
    public IConnectionHandler Handler { get; set; } = null!;

    /// <summary>What waits to be sent. Guarded by <see cref="OutputBuffer.SyncRoot"/>.</summary>
    public OutputBuffer Output { get; } = new();

    /// <summary>Where the peer is, for logs; behind a trusted proxy: where the proxy says it is.</summary>
    public abstract string RemoteEndPoint { get; }

    /// <summary>The IP address of the same, for what counts by address; null: it has none, as at a Unix socket.</summary>
    public virtual IPAddress? RemoteAddress => null;

    /// <summary>The user that runs the peer's process, as the kernel attests it; null: it does not, as for anything but a Unix socket.</summary>
    public virtual uint? PeerUserId => null;

    /// <summary>How long the name that the transport has proved to be the peer's still holds; null: it has proved none, or one that does not end.</summary>
    public virtual TimeSpan? IdentityValidFor => null;

    /// <summary>What speaks against that name by now; null: nothing.</summary>
    public virtual string? FindIdentityObjection() => null;

    /// <summary>Monotonic milliseconds of the transport's clock, which stands still within an iteration.</summary>
    public abstract long NowMs { get; }

    /// <summary>Bytes received and not consumed; a hint, on any thread.</summary>
    public virtual int KeptBytes => 0;

    /// <summary>Whether it is being closed: nothing received is handled any more.</summary>
    public bool IsClosing => _isClosing;

    /// <summary>Set under the output's lock to be called back when the output has drained.</summary>
    public bool WantsCallbackWhenDrained { get; set; }

    /// <summary>
    /// Set before it is closed when nothing was sent that the peer needs: then it is closed at once, without waiting for the peer's end. On the connection's
    /// own thread.
    /// </summary>
    public bool ClosesAtOnce { get; set; }

    /// <summary>Has the lock of what the connection belongs to guard its output from now on. Called before anybody else can write.</summary>
    public virtual void UseLock(Lock owner) => Output.UseLock(owner);

    /// <summary>Asks for the output to be flushed at the end of the iteration; under the output's lock, from any thread.</summary>
    public abstract void RequestFlush();

    /// <summary>Asks for <see cref="IConnectionHandler.OnCallback"/> on the connection's own thread; under the output's lock, from any thread.</summary>
    public abstract void RequestCallback();

    /// <summary>Runs something on the connection's own thread; from any thread that holds no lock.</summary>
    public abstract void Post(Action work);

    /// <summary>
    /// Has what the peer has sent by now handled, and its end, before somebody else takes its place: reads what has arrived, in turn with other connections,
    /// and delivers what came of it. While the handler does not read, it waits for that. From any thread that holds no lock.
    /// </summary>
    /// <param name="done">Called once, on any thread, holding no lock: when that is so, or the connection is over.</param>
    public abstract void Drain(Action done);

    /// <summary>Stops reading; the peer is held back by flow control. On the connection's own thread.</summary>
    public abstract void PauseReading();

    /// <summary>Reads on, beginning with what was received before the pause. On the connection's own thread.</summary>
    public abstract void ResumeReading();

    /// <summary>The time the one deadline is set to, in <see cref="NowMs"/>; <see cref="long.MaxValue"/>: none. On the connection's own thread.</summary>
    public abstract long DeadlineMs { get; }

    /// <summary>Sets the time of the one deadline, in <see cref="NowMs"/>; <see cref="long.MaxValue"/>: none. On the connection's own thread.</summary>
    public abstract void SetDeadline(long dueMs);

    /// <summary>Has the connection's own loop see to it, on behalf of another thread, which holds no lock.</summary>
    /// <param name="toWake">Reactors to be woken afterwards; this one's is added.</param>
    internal virtual void HandOver(List<Reactor> toWake)
    {
    }

    /// <summary>Closes at once; what is in the output is let go. On the connection's own thread, holding no lock.</summary>
    public abstract void Abort();

    /// <summary>Sends what is in the output, then closes; under the output's lock, from any thread. Nothing received from now on is handled.</summary>
    public void Close()
    {
        Output.SyncRoot.MustBeHeld();
        if (_isClosing) return;
        _isClosing = true;
        RequestFlush();
    }
}
