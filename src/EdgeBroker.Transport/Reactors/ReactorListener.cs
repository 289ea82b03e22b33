using System.Net;
using System.Runtime.InteropServices;
using EdgeBroker.Transport.Linux;
using EdgeBroker.Transport.UnixSockets;
using Microsoft.Extensions.Logging;
using SocketAddress = EdgeBroker.Transport.Linux.SocketAddress;

namespace EdgeBroker.Transport.Reactors;

/// <summary>
/// A listening socket. The first reactor accepts, a bounded number an iteration so that a flood of connects does not starve the connected, and deals the
/// connections out in turn.
/// </summary>
public sealed unsafe partial class ReactorListener
{
    private const int Backlog = 1024;
    private const int AcceptsPerIteration = 64;
    private const int TcpKeepAliveSeconds = 600;
    // Connections too many that may hear why at once.
    private const int MostTurnedAway = 20;
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    private readonly Reactor[] _reactors;
    private readonly Func<Accepted, IConnectionHandler> _connect;
    private readonly Action<string> _refuse;
    private readonly ILogger _logger;
    private readonly SocketAddress _address;
    private readonly SocketFileAccess? _access;
    private int _number;
    private int _maxConnections;
    private int _fd;
    private bool _isWatched;
    private int _open;
    private int _turnedAway;
    private TaskCompletionSource? _empty;
    private int _next;

    private ReactorListener(
        int fd,
        SocketAddress address,
        SocketFileAccess? access,
        Reactor[] reactors,
        int maxConnections,
        Func<Accepted, IConnectionHandler> connect,
        Action<string> refuse,
        ILogger logger)
    {
        _fd = fd;
        _address = address;
        _access = access;
        _reactors = reactors;
        _maxConnections = maxConnections;
        _connect = connect;
        _refuse = refuse;
        _logger = logger;
        EndPoint = address.UnixPath is null ? LocalName(fd) : address.Text;
    }

    /// <summary>Where it listens, with the port the kernel chose if it was left to it.</summary>
    public string EndPoint { get; }

    /// <summary>Connections open at once; what comes beyond is told so, or in a flood closed at once. A lower number closes nobody who is in.</summary>
    public int MaxConnections
    {
        get => Volatile.Read(ref _maxConnections);
        set => Volatile.Write(ref _maxConnections, value);
    }

    /// <summary>Connections that are open, those included that are one too many and are told so.</summary>
    public int OpenCount => Volatile.Read(ref _open);

    internal int FileDescriptor => _fd;

    /// <summary>Opens the socket. Accepting begins with <see cref="Start"/>.</summary>
    /// <param name="address">Where.</param>
    /// <param name="reactors">Who serves the connections; the first accepts.</param>
    /// <param name="maxConnections">Connections open at once; what comes beyond is closed at once.</param>
    /// <param name="connect">Makes the protocol side; runs on the connection's reactor.</param>
    /// <param name="refuse">Is told the address of a peer that was turned away.</param>
    /// <param name="logger">Event ids 1100-1199.</param>
    /// <param name="access">Who may connect to a Unix socket; null: as the umask has it.</param>
    /// <exception cref="ListenException">The address is in use, not ours, or not permitted.</exception>
    public static ReactorListener Open(
        SocketAddress address,
        Reactor[] reactors,
        int maxConnections,
        Func<Accepted, IConnectionHandler> connect,
        Action<string> refuse,
        ILogger<ReactorListener> logger,
        SocketFileAccess? access = null)
        => new(OpenSocket(address, access), address, access, reactors, maxConnections, connect, refuse, logger);

    private static int OpenSocket(SocketAddress address, SocketFileAccess? access)
    {
        if (InheritedSockets.OfProcess.TryOpen(address, out int inherited)) return inherited;
        int fd = LinuxSockets.Socket(address.Family, LinuxSockets.Stream | LinuxSockets.NonBlocking | LinuxSockets.CloseOnExec, 0);
        if (fd < 0) throw Failure(address);
        int one = 1;
        _ = LinuxSockets.SetSocketOption(fd, LinuxSockets.SolSocket, LinuxSockets.SoReuseAddress, &one, sizeof(int));
        int only = address.IsIPv6Only ? 1 : 0;
        if (address.Family == LinuxSockets.AddressFamilyInet6)
        {
            _ = LinuxSockets.SetSocketOption(fd, LinuxSockets.IpProtoIpv6, LinuxSockets.Ipv6Only, &only, sizeof(int));
        }

        if (address.UnixPath is not null) UnixSocketFile.RemoveStale(address.UnixPath);
        try
        {
            Bind(fd, address, access);
        }
        catch
        {
            _ = LinuxSockets.Close(fd);
            throw;
        }

        return fd;
    }

    private static void Bind(int fd, SocketAddress address, SocketFileAccess? access)
    {
        fixed (byte* bytes = address.Bytes)
        {
            if (LinuxSockets.Bind(fd, bytes, address.Bytes.Length) != 0) throw Failure(address);
        }

        try
        {
            // Nobody can connect before it listens, so nobody comes in under other permissions.
            if (address.UnixPath is not null) access?.Apply(address.UnixPath);
            if (LinuxSockets.Listen(fd, Backlog) != 0) throw Failure(address);
        }
        catch
        {
            if (address.UnixPath is not null) File.Delete(address.UnixPath);
            throw;
        }
    }

    /// <summary>Begins to accept. Before the reactors start, or on the first one's thread.</summary>
    public void Start()
    {
        List<ReactorListener> listeners = _reactors[0].Listeners;
        // Listeners come and go while the broker runs: the place of one that is closed is taken again.
        _number = listeners.FindIndex(other => other == this || other._fd < 0);
        if (_number < 0)
        {
            _number = listeners.Count;
            listeners.Add(this);
        }

        listeners[_number] = this;
        _reactors[0].Watch(this, _number);
        _isWatched = true;
    }

    /// <summary>Stops accepting; connections stay. On the first reactor's thread.</summary>
    public void Stop() => CloseSocket();

    /// <summary>After <see cref="Stop"/>: listens and accepts again, at the same address. On the first reactor's thread.</summary>
    /// <exception cref="IOException">Somebody else has taken the address.</exception>
    public void Resume()
    {
        // The port the kernel chose is the one that clients know.
        _fd = OpenSocket(_address.UnixPath is null ? SocketAddress.Parse(EndPoint, _address.IsIPv6Only) : _address, _access);
        Start();
    }

    internal void Accept()
    {
        byte* address = stackalloc byte[128];
        for (int i = 0; i < AcceptsPerIteration && _fd >= 0; i++)
        {
            int length = 128;
            int fd = LinuxSockets.Accept(_fd, address, &length, LinuxSockets.NonBlocking | LinuxSockets.CloseOnExec);
            if (fd < 0)
            {
                AcceptFailed(Marshal.GetLastPInvokeError());
                return;
            }

            Admit(fd, new PeerAddress(new ReadOnlySpan<byte>(address, Math.Min(length, 128))));
        }
    }

    /// <summary>Completes when no connection is open; once the listener has been stopped.</summary>
    public Task WhenEmpty()
    {
        var empty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _empty, empty);
        // The last one may have closed before it could see the source.
        if (OpenCount == 0) empty.TrySetResult();
        return empty.Task;
    }

    /// <summary>A connection has closed.</summary>
    /// <param name="wasOneTooMany">Whether it was one too many.</param>
    internal void Released(bool wasOneTooMany)
    {
        if (wasOneTooMany) Interlocked.Decrement(ref _turnedAway);
        if (Interlocked.Decrement(ref _open) == 0) Volatile.Read(ref _empty)?.TrySetResult();
    }

    internal void CloseSocket()
    {
        if (_fd < 0) return;
        // The socket of one that is inherited stays open, and its file is another's.
        bool isInherited = InheritedSockets.OfProcess.Has(_address);
        if (isInherited && _isWatched) _reactors[0].Unwatch(this);
        _isWatched = false;
        _ = LinuxSockets.Close(_fd);
        _fd = -1;
        if (!isInherited && _address.UnixPath is { } path) DeleteSocketFile(path);
    }

    private void DeleteSocketFile(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The next start removes it, or says that it cannot.
            LogFileLeft(_logger, path, exception.Message);
        }
    }

    private void Admit(int fd, PeerAddress peer)
    {
        bool isOneTooMany = Interlocked.Increment(ref _open) - Volatile.Read(ref _turnedAway) > MaxConnections;
        if (isOneTooMany && Interlocked.Increment(ref _turnedAway) > MostTurnedAway)
        {
            Released(isOneTooMany);
            // Told before the peer can see its end, as every refusal is.
            _reactors[0].Guard(() => _refuse(peer.ToString()), "refusing a connection");
            _ = LinuxSockets.Close(fd);
            return;
        }

        int one = 1;
        _ = LinuxSockets.SetSocketOption(fd, LinuxSockets.IpProtoTcp, LinuxSockets.TcpNoDelay, &one, sizeof(int));
        // A client without keep alive whose cable was pulled would otherwise stay for ever.
        _ = LinuxSockets.SetSocketOption(fd, LinuxSockets.SolSocket, LinuxSockets.SoKeepAlive, &one, sizeof(int));
        int idleSeconds = TcpKeepAliveSeconds;
        _ = LinuxSockets.SetSocketOption(fd, LinuxSockets.IpProtoTcp, LinuxSockets.TcpKeepIdle, &idleSeconds, sizeof(int));
        Reactor reactor = _reactors[_next++ % _reactors.Length];
        if (ReferenceEquals(reactor, _reactors[0])) Serve(reactor, fd, peer, isOneTooMany);
        else reactor.Post(() => Serve(reactor, fd, peer, isOneTooMany));
    }

    private void Serve(Reactor reactor, int fd, PeerAddress peer, bool isOneTooMany)
    {
        var connection = new ReactorConnection(reactor, fd, peer) { Listener = this, IsOneTooMany = isOneTooMany };
        try
        {
            connection.Handler = _connect(new Accepted(connection, reactor) { IsOneTooMany = isOneTooMany });
        }
        catch (Exception exception)
        {
            reactor.Report(exception, "accepting " + connection.RemoteEndPoint);
            _ = LinuxSockets.Close(fd);
            Released(isOneTooMany);
            return;
        }

        reactor.Register(connection);
    }

    private void AcceptFailed(int error)
    {
        // EAGAIN: all taken. A peer that went away between its SYN and our accept is no failure of ours either.
        if (error is not (LinuxSockets.ErrorTooManyFiles or LinuxSockets.ErrorTooManyFilesInSystem or LinuxSockets.ErrorNoBuffers
            or LinuxSockets.ErrorNoMemory))
        {
            return;
        }

        // The queue stays readable: without a rest this would spin.
        LogAcceptFailed(_logger, EndPoint, Marshal.GetPInvokeErrorMessage(error));
        _reactors[0].Rewatch(this, _number, accept: false);
        _reactors[0].AddOnce(Rest, () =>
        {
            if (_fd >= 0) _reactors[0].Rewatch(this, _number, accept: true);
        });
    }

    private static string LocalName(int fd)
    {
        byte* address = stackalloc byte[128];
        int length = 128;
        return LinuxSockets.GetSocketName(fd, address, &length) == 0 ? new PeerAddress(new ReadOnlySpan<byte>(address, length)).ToString() : "unknown";
    }

    private static ListenException Failure(SocketAddress address) => ListenFailure.Of(address, Marshal.GetLastPInvokeError());

    [LoggerMessage(1101, LogLevel.Warning, "the socket file {Path} could not be removed: {Error}")]
    private static partial void LogFileLeft(ILogger logger, string path, string error);

    /// <summary>A connection just accepted.</summary>
    /// <param name="Transport">The connection.</param>
    /// <param name="Reactor">The reactor it belongs to.</param>
    public readonly record struct Accepted(TransportConnection Transport, Reactor Reactor)
    {
        /// <summary>Whether the listener has as many as it may: it is to be told so, and closed.</summary>
        public bool IsOneTooMany { get; init; }

        /// <summary>Gives the connection to another handler, and to where a proxy says its peer is; on its own thread.</summary>
        /// <param name="client">The peer's address from now on; null: as it is.</param>
        /// <param name="connect">Makes the other handler.</param>
        public IConnectionHandler HandOver(IPEndPoint? client, Func<Accepted, IConnectionHandler> connect)
        {
            var connection = (ReactorConnection)Transport;
            if (client is not null) connection.SetPeerAddress(client);
            return connection.Handler = connect(this);
        }
    }

    [LoggerMessage(
        1100, LogLevel.Error,
        "{EndPoint} cannot accept connections: {Error}; trying again in a second. Raise the limit of open files (LimitNOFILE) or lower max_connections")]
    private static partial void LogAcceptFailed(ILogger logger, string endPoint, string error);
}
