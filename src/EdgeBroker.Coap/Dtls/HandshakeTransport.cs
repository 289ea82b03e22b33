using Org.BouncyCastle.Tls;

namespace EdgeBroker.Coap.Dtls;

/// <summary>
/// Brings datagrams to a handshake, which waits for them on a thread of its pool, and sends its own. What it sends last is kept, to be sent again.
/// </summary>
/// <param name="crypto">Tells records that do not fit.</param>
/// <param name="send">Sends a datagram to the client; never blocks.</param>
/// <param name="mayWaitOn">Whether the handshake may go on waiting, having heard nothing for so long: others may want its thread.</param>
internal sealed class HandshakeTransport(CapturingCrypto crypto, Action<byte[]> send, Func<TimeSpan, bool> mayWaitOn) : DatagramTransport, IDisposable
{
    // A certificate with its chain in small pieces, and a few of them twice.
    private const int MaxDatagrams = 32;
    private const int MaxBytes = 32 * 1024;
    private const int ReceiveBytes = 4_096;

    // What fits through IPv6's smallest link, with room for tunnels.
    private const int SendBytes = 1_200;

    // One may be somebody else's; a client with a wrong key sends its own twice within two seconds.
    private const int MaxUndecoded = 2;

    // How often it looks whether it may wait on.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly Queue<byte[]> _inbox = new();
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly List<byte[]> _lastFlight = [];
    private TimeSpan _silent;
    private int _inboxBytes;
    private bool _isAnswering;

    /// <summary>What was sent last, without a pause for the client's answer.</summary>
    public IReadOnlyList<byte[]> LastFlight => _lastFlight;

    /// <summary>Takes a datagram of the client's; false: there are too many.</summary>
    public bool TryAdd(ReadOnlySpan<byte> datagram)
    {
        lock (_lock.Alone())
        {
            if (_inbox.Count >= MaxDatagrams || _inboxBytes + datagram.Length > MaxBytes) return false;
            _inbox.Enqueue(datagram.ToArray());
            _inboxBytes += datagram.Length;
        }

        _arrived.Release();
        return true;
    }

    /// <summary>Takes what came and was not asked for.</summary>
    public List<byte[]> TakeRest()
    {
        lock (_lock.Alone())
        {
            List<byte[]> rest = [.. _inbox];
            _inbox.Clear();
            return rest;
        }
    }

    /// <inheritdoc/>
    public int GetReceiveLimit() => ReceiveBytes;

    /// <inheritdoc/>
    public int GetSendLimit() => SendBytes;

    /// <inheritdoc/>
    public int Receive(byte[] buf, int off, int len, int waitMillis) => Receive(buf.AsSpan(off, len), waitMillis);

    /// <inheritdoc/>
    public int Receive(Span<byte> buffer, int waitMillis)
    {
        if (crypto.UndecodedCount >= MaxUndecoded) throw new TlsFatalAlert(AlertDescription.decrypt_error);
        var left = TimeSpan.FromMilliseconds(Math.Max(1, waitMillis));
        while (left > TimeSpan.Zero)
        {
            TimeSpan slice = left < Look ? left : Look;
            if (_arrived.Wait(slice))
            {
                byte[] datagram;
                lock (_lock.Alone())
                {
                    if (!_inbox.TryDequeue(out datagram!)) continue;
                    _inboxBytes -= datagram.Length;
                }

                (_silent, _isAnswering) = (TimeSpan.Zero, false);
                int length = Math.Min(datagram.Length, buffer.Length);
                datagram.AsSpan(0, length).CopyTo(buffer);
                return length;
            }

            left -= slice;
            _silent += slice;
            if (!mayWaitOn(_silent)) throw new TlsFatalAlert(AlertDescription.user_canceled);
        }

        return -1;
    }

    /// <inheritdoc/>
    public void Send(byte[] buf, int off, int len) => Send(buf.AsSpan(off, len));

    /// <inheritdoc/>
    public void Send(ReadOnlySpan<byte> buffer)
    {
        byte[] datagram = buffer.ToArray();
        if (!_isAnswering) _lastFlight.Clear();
        _isAnswering = true;
        _lastFlight.Add(datagram);
        send(datagram);
    }

    /// <inheritdoc/>
    public void Close()
    {
    }

    /// <summary>Nothing: somebody may still bring a datagram, and the semaphore holds nothing of the system's.</summary>
    public void Dispose()
    {
    }
}
