using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace EdgeBroker.Testing;

/// <summary>A TCP proxy at a port of its own that can lead nowhere, cut connections, also in the middle of a packet, be slow, and fall silent.</summary>
public sealed class FaultyProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, bool> _open = new();
    private readonly CancellationTokenSource _stop = new();
    private volatile int _target;
    private volatile bool _isSilent;
    private long _delayTicks;
    private long _cutOutAfter = long.MaxValue;
    private long _cutBackAfter = long.MaxValue;
    private int _cuts;
    private int _connections;

    /// <summary>Listens; leads nowhere until it is told where.</summary>
    public FaultyProxy()
    {
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Where it leads; 0: connections are closed as soon as they come.</summary>
    public int Target
    {
        get => _target;
        set => _target = value;
    }

    /// <summary>Whether bytes are taken and go nowhere, as over a dead link.</summary>
    public bool IsSilent
    {
        get => _isSilent;
        set => _isSilent = value;
    }

    /// <summary>How long bytes take in each direction.</summary>
    public TimeSpan Delay
    {
        get => TimeSpan.FromTicks(Volatile.Read(ref _delayTicks));
        set => Volatile.Write(ref _delayTicks, value.Ticks);
    }

    /// <summary>
    /// Who looks on: told, before they go on, of bytes by the number of their connection and whether they go toward the target; null: nobody. Each direction of
    /// a connection by itself, in order. False: they go nowhere, and the connection is cut. Set before the first connection.
    /// </summary>
    public Func<int, bool, ReadOnlyMemory<byte>, bool>? Observer { get; set; }

    /// <summary>How many connections it has cut because of <see cref="CutAfter"/> or <see cref="CutBackAfter"/>.</summary>
    public int Cuts => Volatile.Read(ref _cuts);

    /// <summary>How many connections have come.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Cuts the connection behind so many more bytes toward the target, wherever in a packet that is.</summary>
    public void CutAfter(long bytes) => Volatile.Write(ref _cutOutAfter, bytes);

    /// <summary>Cuts the connection behind so many more bytes from the target, wherever in a packet that is.</summary>
    public void CutBackAfter(long bytes) => Volatile.Write(ref _cutBackAfter, bytes);

    /// <summary>Cuts all connections with a reset.</summary>
    public void CutAll()
    {
        foreach (Socket socket in _open.Keys) Cut(socket);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        CutAll();
    }

    private static void Cut(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }

        socket.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Socket near = await _listener.AcceptSocketAsync(_stop.Token);
                _ = ServeAsync(near, Interlocked.Increment(ref _connections));
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket near, int connection)
    {
        using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        near.NoDelay = true;
        _open.TryAdd(near, true);
        try
        {
            if (_target == 0) return;
            await far.ConnectAsync(IPAddress.Loopback, _target);
            _open.TryAdd(far, true);
            await Task.WhenAny(CopyAsync(near, far, connection, isOutward: true), CopyAsync(far, near, connection, isOutward: false));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // That is what it is for.
        }
        finally
        {
            _open.TryRemove(near, out _);
            _open.TryRemove(far, out _);
            Cut(near);
            Cut(far);
        }
    }

    private async Task CopyAsync(Socket from, Socket to, int connection, bool isOutward)
    {
        byte[] buffer = new byte[4096];
        while (await from.ReceiveAsync(buffer, SocketFlags.None) is > 0 and int read)
        {
            if (_isSilent) continue;
            // A property of the link that is tested, not a wait for something.
            if (Delay > TimeSpan.Zero) await Task.Delay(Delay);
            int most = isOutward ? TakeAllowance(ref _cutOutAfter, read) : TakeAllowance(ref _cutBackAfter, read);
            if (Observer?.Invoke(connection, isOutward, buffer.AsMemory(0, most)) == false) return;
            await to.SendAsync(buffer.AsMemory(0, most), SocketFlags.None);
            if (most == read) continue;
            Interlocked.Increment(ref _cuts);
            return;
        }
    }

    private static int TakeAllowance(ref long cutAfter, int read)
    {
        long left = Volatile.Read(ref cutAfter);
        if (left == long.MaxValue) return read;
        int most = (int)Math.Min(read, left);
        // The next connection is whole.
        Volatile.Write(ref cutAfter, most < read ? long.MaxValue : left - most);
        return most;
    }
}
