using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>
/// Takes connections on the Raft port. The library sees a connection only after its certificate was accepted. However many strangers come, the port goes on:
/// handshakes have a time limit, and there is an end to how many are under way and how many connections there are.
/// </summary>
internal sealed class VoterListener : IConnectionListener
{
    private const int Backlog = 64;
    private const int MostHandshakes = 16;
    private const int MostConnections = 64;
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(200);

    private readonly Socket _socket;
    private readonly MemberTls? _tls;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _ending = new();
    private readonly SemaphoreSlim _handshakes = new(MostHandshakes, MostHandshakes);
    private readonly TaskCompletionSource _allEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _accepting;
    private int _isDisposed;
    // The listener itself counts as one until it ends.
    private int _connections = 1;

    // Few wait: the library takes each at once.
    private readonly Channel<VoterConnection> _ready = Channel.CreateBounded<VoterConnection>(MostConnections);

    /// <exception cref="SocketException">The port cannot be listened on.</exception>
    public VoterListener(IPEndPoint address, MemberTls? tls, TimeProvider time, ILogger log)
    {
        EndPoint = address;
        _tls = tls;
        _time = time;
        _log = log;
        _socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _socket.Bind(address);
            _socket.Listen(Backlog);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        _accepting = AcceptAllAsync();
    }

    /// <inheritdoc/>
    public EndPoint EndPoint { get; }

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _ready.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_ready.Reader.TryRead(out VoterConnection? connection)) return connection;
        }

        return null;
    }

    /// <inheritdoc/>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0) return;
        await _ending.CancelAsync().ConfigureAwait(false);
        _socket.Dispose();
        await _accepting.ConfigureAwait(false);
        _ready.Writer.TryComplete();
        while (_ready.Reader.TryRead(out VoterConnection? unseen)) await unseen.DisposeAsync().ConfigureAwait(false);
        CountOut();
        // The log is closed after this: what the library still does for a connection is to be over, if it ends at all.
        await _allEnded.Task.WaitAsync(EndTimeout, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task AcceptAllAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                await _handshakes.WaitAsync(_ending.Token).ConfigureAwait(false);
                Socket? socket = null;
                try
                {
                    socket = await _socket.AcceptAsync(_ending.Token).ConfigureAwait(false);
                }
                finally
                {
                    if (socket is null) _handshakes.Release();
                }

                _ = WelcomeAsync(socket);
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException exception)
            {
                // Out of handles, or the other side has gone already: the port stays. Without a pause the first would fail again at once, and take a core.
                // A socket that was closed here takes nothing any more.
                if (_ending.IsCancellationRequested || exception.SocketErrorCode == SocketError.OperationAborted) return;
                ConsensusLog.Refused(_log, exception.Message);
                await Task.Delay(AfterFailure, _time).ConfigureAwait(false);
            }
        }
    }

    private async Task WelcomeAsync(Socket socket)
    {
        Stream? stream = null;
        VoterConnection? connection = null;
        Interlocked.Increment(ref _connections);
        try
        {
            if (Volatile.Read(ref _connections) > MostConnections + 1) return;
            socket.NoDelay = true;
            stream = new NetworkStream(socket, ownsSocket: false);
            if (_tls is not null)
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
                patience.CancelAfter(HandshakeTimeout);
                var secure = new SslStream(stream, leaveInnerStreamOpen: false);
                stream = secure;
                await secure.AuthenticateAsServerAsync(_tls.ServerOptions, patience.Token).ConfigureAwait(false);
            }

            connection = new VoterConnection(socket, stream, _ => CountOut());
            await _ready.Writer.WriteAsync(connection, _ending.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (VoterDialer.IsOfConnection(exception))
        {
            // Whoever is to blame is told by the certificate check; a handshake that is cut off is nobody's news.
        }
        catch (Exception exception) when (exception is ChannelClosedException or ObjectDisposedException)
        {
            // The listener has ended meanwhile.
        }
        finally
        {
            if (connection is null) await EndAsync(socket, stream).ConfigureAwait(false);
            else if (_ending.IsCancellationRequested) await connection.DisposeAsync().ConfigureAwait(false);
            _handshakes.Release();
        }
    }

    private async Task EndAsync(Socket socket, Stream? stream)
    {
        socket.Dispose();
        if (stream is not null) await stream.DisposeAsync().ConfigureAwait(false);
        CountOut();
    }

    private void CountOut()
    {
        if (Interlocked.Decrement(ref _connections) == 0) _allEnded.TrySetResult();
    }
}
