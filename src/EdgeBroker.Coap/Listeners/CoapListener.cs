using System.Diagnostics.CodeAnalysis;
using System.Net;
using EdgeBroker.Coap.Dtls;
using EdgeBroker.Coap.Gateway;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Security;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Logging;
using ConfiguredAddress = EdgeBroker.Transport.Linux.SocketAddress;

namespace EdgeBroker.Coap.Listeners;

/// <summary>A <c>coap</c> listener: one UDP socket, and the server behind it. Event ids 8000-8099.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Closing a listener disposes of what it has.")]
internal sealed partial class CoapListener : IListener
{
    private readonly CoapListenerFamily _family;
    private readonly Replaceable<DoorSettings> _door;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly LogBudget _refusals;
    private DtlsFiles? _files;
    private readonly IPEndPoint _address;
    private volatile ListenerSettings _settings;
    private volatile UdpPort? _port;
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
        _port = new UdpPort(_address);
        // The port the system chose is kept when the address is taken again.
        _address = _port.Address;
        EndPoint = _address.ToString();
        _time = time;
        _refusals = new LogBudget(time, each: 1, all: 5, (peer, held) => LogRefusalsHeldBack(log, settings.Name, held, peer ?? "other addresses"));
        if (settings.Protocol != ListenerProtocol.Coaps)
        {
            Server = new CoapServer(broker, authenticator, settings.Coap, _door, time, family.Clients, SendAll);
            Server.Resources.Refused = OnRefused;
            return;
        }

        try
        {
            _files = DtlsFiles.Read(settings, time, log);
        }
        catch
        {
            _port.Dispose();
            throw;
        }

        Server = new CoapServer(broker, authenticator, settings.Coap, _door, time, family.Clients, all => SendAll(Dtls!.Encrypt(all)));
        Server.Resources.Refused = OnRefused;
        Dtls = new DtlsServer(Server, _files.Current, settings.Name, time, log, Send);
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
        _receiving = ReceiveAsync(_port!);
        _family.Add(this);
        LogListening(_log, Dtls is null ? "CoAP" : "CoAP over DTLS", EndPoint);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public IListenerChange Prepare(ListenerSettings next) => new Change(this, next, _files is null ? null : DtlsFiles.Read(next, _time, _log));

    /// <inheritdoc/>
    public async Task SuspendAsync()
    {
        _port?.Dispose();
        _port = null;
        await _receiving.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task ResumeAsync()
    {
        _port = new UdpPort(_address);
        _receiving = ReceiveAsync(_port);
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

    private Task ReceiveAsync(UdpPort port) => port.ReceiveAsync(
        (from, datagram, length) =>
        {
            if (Dtls is { } dtls) dtls.Receive(from, datagram, length);
            else Server.Receive(from, datagram.AsSpan(0, length));
        },
        Server.HoldOutput,
        Server.ReleaseOutput);

    private void OnRefused(PeerEndPoint peer, bool ofNetwork)
    {
        if (!_refusals.Admit(peer.ToAddress().ToString())) return;
        LogRefused(_log, _settings.Name, peer.ToString(), ofNetwork ? "of its address (listener.coap.max_peers_per_ip)" : "(listener.coap.max_peers)");
    }

    private void SendAll(List<(PeerEndPoint To, byte[] Datagram)> datagrams)
    {
        // As if lost on the way; what must arrive is sent again.
        if (_port?.Send(datagrams) is > 0 and int unsent) Interlocked.Add(ref Unsent, unsent);
    }

    private void Send(PeerEndPoint to, byte[] datagram) => SendAll([(to, datagram)]);

    [LoggerMessage(8000, LogLevel.Information, "listening for {Protocol} on {EndPoint}")]
    private static partial void LogListening(ILogger log, string protocol, string endPoint);

    [LoggerMessage(8001, LogLevel.Warning, "{Listener}: {Peer} is refused: there are as many peers as there may be {Which}")]
    private static partial void LogRefused(ILogger log, string listener, string peer, string which);

    [LoggerMessage(8002, LogLevel.Warning, "{Listener}: {Count} more requests of {Peer} refused within 10 s, as there are as many peers as there may be")]
    private static partial void LogRefusalsHeldBack(ILogger log, string listener, long count, string peer);

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
