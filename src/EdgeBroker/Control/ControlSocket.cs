using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using EdgeBroker.Cli.Control;
using EdgeBroker.Transport.UnixSockets;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace EdgeBroker.Control;

/// <summary>
/// Where other processes of this machine ask the running broker for something: a Unix socket in the data directory, for the broker's own user and root alone. A
/// connection is one line in, an answer out. One request at a time, on a thread of its own, which sleeps otherwise.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed partial class ControlSocket : IDisposable
{
    private const int FirstRequestBytes = 1024;

    // A client id, a topic and a row of 65,535 bytes each, every one of which may take six in JSON.
    private const int MaxRequestBytes = 2 * 1024 * 1024;
    private const int Backlog = 8;
    private const int StackBytes = 1024 * 1024;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan UsualTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AcceptBackoff = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly FileStream _lock;
    private readonly Socket _socket;
    private readonly Func<ControlRequest, ControlAnswer> _serve;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _stopping = new();
    private readonly Lock _peerLock = new();
    private Socket? _peer;

    private ControlSocket(
        string path, FileStream held, Socket socket, Func<ControlRequest, ControlAnswer> serve, TimeSpan timeout, TimeProvider time, ILogger log)
    {
        _timeout = timeout;
        _path = path;
        _lock = held;
        _socket = socket;
        _serve = serve;
        _time = time;
        _log = log;
        _thread = new Thread(Run, StackBytes) { Name = "control", IsBackground = true };
    }

    /// <summary>Opens the socket and answers requests. A broker serves without it as well, so what is in the way is logged, and null is returned.</summary>
    /// <param name="dataDirectory">The data directory; made if it is not there.</param>
    /// <param name="serve">Answers a request.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Event ids 9040-9049.</param>
    /// <param name="timeout">How long whoever asks may take, to say what and to take the answer; null: 5 s.</param>
    public static ControlSocket? Open(string dataDirectory, Func<ControlRequest, ControlAnswer> serve, TimeProvider time, ILogger log, TimeSpan? timeout = null)
    {
        string path = ControlPath.In(dataDirectory);
        if (ControlPath.Problem(path) is { } problem)
        {
            LogNotOpened(log, problem);
            return null;
        }

        FileStream? held = null;
        try
        {
            Directory.CreateDirectory(dataDirectory, OwnerOnly | UnixFileMode.UserExecute);
            RefuseLink(path + ".lock");
            // Whoever holds the lock may replace what lies there; a dead broker holds none.
            held = new FileStream(path + ".lock", new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = OwnerOnly,
                BufferSize = 0,
            });
            var control = new ControlSocket(path, held, Listen(path), serve, timeout ?? UsualTimeout, time, log);
            control._thread.Start();
            return control;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or SocketException)
        {
            held?.Dispose();
            LogNotOpened(log, $"{path}: {exception.Message}");
            return null;
        }
    }

    /// <summary>Answers the request at hand, and takes no more. The socket is gone then.</summary>
    public void Dispose()
    {
        _stopping.Set();
        // Wakes the thread, which waits for somebody to come, or for somebody to say something.
        Wake(_socket);
        lock (_peerLock) Wake(_peer);
        _thread.Join();
        _socket.Dispose();
        try
        {
            File.Delete(_path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The next start replaces it.
            LogFileLeft(_log, _path, exception.Message);
        }

        _lock.Dispose();
        _stopping.Dispose();
    }

    private static void Wake(Socket? waiting)
    {
        try
        {
            waiting?.Shutdown(SocketShutdown.Receive);
        }
        catch (SocketException)
        {
            // Its peer has gone, so nothing is waited for.
        }
    }

    // Somebody else's file would be locked, or replaced.
    private static void RefuseLink(string path)
    {
        if (new FileInfo(path).LinkTarget is { } target) throw new IOException($"{path} is a link to {target}, which the broker does not follow");
    }

    private static Socket Listen(string path)
    {
        UnixSocketFile.RemoveStale(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // Of the socket, before it has a name: Linux gives the file this mode when it makes it, so there is no moment at which others may connect.
            using (var handle = new SafeFileHandle(socket.Handle, ownsHandle: false)) File.SetUnixFileMode(handle, OwnerOnly);
            socket.Bind(new UnixDomainSocketEndPoint(path));
            socket.Listen(Backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void Run()
    {
        while (!_stopping.IsSet)
        {
            try
            {
                using Socket peer = _socket.Accept();
                lock (_peerLock) _peer = peer;
                try
                {
                    if (!_stopping.IsSet) Answer(peer);
                }
                finally
                {
                    lock (_peerLock) _peer = null;
                }
            }
            catch (SocketException exception)
            {
                if (_stopping.IsSet) return;
                LogFailed(_log, exception.Message);
                // Out of descriptors, perhaps: without a pause this would spin.
                _stopping.Wait(AcceptBackoff);
            }
        }
    }

    private void Answer(Socket peer)
    {
        try
        {
            if (!MayAsk(peer, out uint user))
            {
                LogStranger(_log, user);
                return;
            }

            peer.SendTimeout = (int)_timeout.TotalMilliseconds;
            ControlAnswer answer = ReadRequest(peer) is { } request
                ? _serve(request)
                : ControlAnswer.Failed($"a request is one line of JSON of at most {MaxRequestBytes} bytes, within {_timeout.TotalSeconds} s");
            ReadOnlySpan<byte> bytes = answer.ToBytes();
            while (!bytes.IsEmpty) bytes = bytes[peer.Send(bytes)..];
            peer.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException exception)
        {
            // Whoever asked has gone; what was asked for is done, and stands in the log.
            LogGone(_log, exception.Message);
        }
    }

    private static bool MayAsk(Socket peer, out uint user)
    {
        uint? known = PeerCredentials.UserIdOf(peer);
        user = known ?? uint.MaxValue;
        return known == 0 || known == GetEffectiveUser();
    }

    private ControlRequest? ReadRequest(Socket peer)
    {
        byte[] bytes = new byte[FirstRequestBytes];
        int length = 0;
        long began = _time.GetTimestamp();
        while (true)
        {
            if (length == bytes.Length)
            {
                if (length == MaxRequestBytes) return null;
                Array.Resize(ref bytes, Math.Min(4 * length, MaxRequestBytes));
            }

            int leftMs = (int)(_timeout - _time.GetElapsedTime(began)).TotalMilliseconds;
            if (leftMs <= 0) return null;
            peer.ReceiveTimeout = leftMs;
            int count;
            try
            {
                count = peer.Receive(bytes.AsSpan(length));
            }
            catch (SocketException exception) when (exception.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
            {
                return null;
            }

            if (count == 0) return null;
            int end = bytes.AsSpan(length, count).IndexOf((byte)'\n');
            if (end >= 0) return ControlRequest.FromBytes(bytes.AsSpan(0, length + end));
            length += count;
        }
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUser();

    [LoggerMessage(9040, LogLevel.Warning, "no control socket, so `edgebroker reload` cannot ask this broker (SIGHUP can): {Cause}")]
    private static partial void LogNotOpened(ILogger log, string cause);

    [LoggerMessage(9041, LogLevel.Warning, "the control socket {Path} could not be removed: {Error}")]
    private static partial void LogFileLeft(ILogger log, string path, string error);

    [LoggerMessage(9042, LogLevel.Warning, "the control socket could not take a request: {Error}")]
    private static partial void LogFailed(ILogger log, string error);

    [LoggerMessage(9043, LogLevel.Warning, "a request on the control socket refused: user {User} is neither root nor this broker's")]
    private static partial void LogStranger(ILogger log, uint user);

    [LoggerMessage(9044, LogLevel.Information, "whoever asked on the control socket has not waited for the answer: {Error}")]
    private static partial void LogGone(ILogger log, string error);
}
