using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using EdgeBroker.Coap.Dtls;
using EdgeBroker.Coap.Gateway;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Core;
using EdgeBroker.Core.Security;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Logging;
using ConfiguredAddress = EdgeBroker.Transport.Linux.SocketAddress;

namespace EdgeBroker.Coap.Listeners;

/// <summary>A <c>coap</c> listener: one UDP socket, and the server behind it. Event ids 8000-8099.</summary>
internal sealed partial class CoapListener : IListener
{
    // The largest datagram there is.
    private const int MaxDatagramBytes = 65_535;

    private readonly CoapListenerFamily _family;
    private readonly Replaceable<DoorSettings> _door;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private DtlsFiles? _files;
    private readonly IPEndPoint _address;
    private volatile ListenerSettings _settings;
    private volatile Socket? _socket;
    private Task _receiving = Task.CompletedTask;

    /// <exception cref="FormatException">The address makes no sense.</exception>
    /// <exception cref="IOException">The address cannot be listened on.</exception>
    internal CoapListener(CoapListenerFamily family, ListenerSettings settings, Broker broker, IAuthenticator authenticator, TimeProvider time, ILogger log)
    {
        _family = family;
        _settings = settings;
        _log = log;
        _door = new Replaceable<DoorSettings>(DoorOf(settings));
        _address = (IPEndPoint)ConfiguredAddress.Parse(settings.Address).ToEndPoint();
        _socket = Bind(_address);
        var bound = (IPEndPoint)_socket.LocalEndPoint!;
        // The port the system chose is kept when the address is taken again.
        _address = bound;
        EndPoint = bound.ToString();
        _time = time;
        if (settings.Protocol != ListenerProtocol.Coaps)
        {
            Server = new CoapServer(broker, authenticator, settings.Coap, _door, time, family.Clients, Send);
            return;
        }

        try
        {
            _files = DtlsFiles.Read(settings, time, log);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        Server = new CoapServer(broker, authenticator, settings.Coap, _door, time, family.Clients, (to, payload) => Dtls!.Send(to, payload));
        Dtls = new DtlsServer(Server, _files.Current, settings.Coap.MaxPeers, settings.Coap.IdleTimeout, settings.Name, time, log, Send);
        _files.Replaced = Dtls.Take;
    }

    /// <inheritdoc/>
    public ListenerSettings Settings => _settings;

    /// <inheritdoc/>
    public string EndPoint { get; }

    /// <summary>What answers.</summary>
    internal CoapServer Server { get; }

    /// <summary>What stands before it; null: <c>coap</c>.</summary>
    internal DtlsServer? Dtls { get; }

    /// <summary>What the listener's files hold; null: there are none.</summary>
    internal DtlsMaterial? Material => _files?.Current;

    /// <summary>The certificates it shows.</summary>
    internal IEnumerable<CertificateValidity> Certificates => _files?.CertificatesAt(_time.GetUtcNow()) ?? [];

    /// <summary>Why keys that have changed are not in use; null: they are.</summary>
    internal string? KeyRefusal => _files?.Refusal;

    /// <summary>Datagrams that the system would not take.</summary>
    internal long Unsent;

    /// <inheritdoc/>
    public Task BeginAsync()
    {
        _receiving = ReceiveAsync(_socket!);
        _family.Add(this);
        LogListening(_log, Dtls is null ? "CoAP" : "CoAP over DTLS", EndPoint);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public IListenerChange Prepare(ListenerSettings next) => new Change(this, next, _files is null ? null : DtlsFiles.Read(next, _time, _log));

    /// <inheritdoc/>
    public async Task SuspendAsync()
    {
        _socket?.Dispose();
        _socket = null;
        await _receiving.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task ResumeAsync()
    {
        _socket = Bind(_address);
        _receiving = ReceiveAsync(_socket);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task RemoveAsync()
    {
        _family.Remove(this);
        await EndAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task AbandonAsync() => EndAsync();

    /// <summary>Tells observers, and closes the socket.</summary>
    internal async Task EndAsync()
    {
        Server.Close();
        Dtls?.Dispose();
        _files?.Dispose();
        await SuspendAsync().ConfigureAwait(false);
    }

    private static DoorSettings DoorOf(ListenerSettings settings) => new(settings.Address, settings.AllowAnonymous, settings.AllowQueryCredentials);

    private static Socket Bind(IPEndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6) socket.DualMode = false;
            socket.Blocking = false;
            socket.Bind(address);
            return socket;
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw new IOException($"cannot listen on {address}: {exception.Message}", exception);
        }
    }

    private async Task ReceiveAsync(Socket socket)
    {
        byte[] buffer = GC.AllocateUninitializedArray<byte>(MaxDatagramBytes);
        var from = new SocketAddress(socket.AddressFamily);
        while (true)
        {
            try
            {
                int length = await socket.ReceiveFromAsync(buffer, SocketFlags.None, from).ConfigureAwait(false);
                if (Dtls is { } dtls) dtls.Receive(ToPeer(from), buffer, length);
                else Server.Receive(ToPeer(from), buffer.AsSpan(0, length));
            }
            catch (SocketException exception) when (exception.SocketErrorCode is not (SocketError.OperationAborted or SocketError.Interrupted))
            {
                // A peer's port is closed (ICMP), or memory is short: of no concern to the others.
                if (_socket != socket) return;
            }
            catch (Exception exception) when (exception is ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private static PeerEndPoint ToPeer(SocketAddress address)
    {
        ReadOnlySpan<byte> bytes = address.Buffer.Span[..address.Size];
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        return address.Family == AddressFamily.InterNetwork
            ? new PeerEndPoint(new UInt128(0, 0xFFFF_0000_0000ul | BinaryPrimitives.ReadUInt32BigEndian(bytes[4..])), port)
            : new PeerEndPoint(BinaryPrimitives.ReadUInt128BigEndian(bytes[8..]), port, BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]));
    }

    private void Send(PeerEndPoint to, byte[] datagram)
    {
        if (_socket is not { } socket) return;
        try
        {
            socket.SendTo(datagram, SocketFlags.None, new IPEndPoint(to.ToAddress(), to.Port).Serialize());
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // As if lost on the way; what must arrive is sent again.
            Interlocked.Increment(ref Unsent);
        }
    }

    [LoggerMessage(8000, LogLevel.Information, "listening for {Protocol} on {EndPoint}")]
    private static partial void LogListening(ILogger log, string protocol, string endPoint);

    private sealed class Change(CoapListener listener, ListenerSettings next, DtlsFiles? files) : IListenerChange
    {
        private DtlsFiles? _files = files;

        public bool Apply()
        {
            listener._settings = next;
            listener._door.Current = DoorOf(next);
            if (_files is not { } taken) return false;
            _files = null;
            DtlsFiles former = listener._files!;
            bool isOther = taken.ContentHash != former.ContentHash;
            listener._files = taken;
            taken.Replaced = listener.Dtls!.Take;
            listener.Dtls.Take(taken.Current);
            former.Dispose();
            return isOther;
        }

        public void Dispose() => _files?.Dispose();
    }
}
