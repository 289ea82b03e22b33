using System.Buffers.Binary;
using System.Security.Cryptography;
using EdgeBroker.Coap.Gateway;
using EdgeBroker.Coap.Listeners;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Core.Events;
using EdgeBroker.Protocol;
using Microsoft.Extensions.Logging;
using Org.BouncyCastle.Tls;

namespace EdgeBroker.Coap.Dtls;

/// <summary>
/// DTLS before a listener's CoAP: tells datagrams apart by connection id, else by address, has handshakes done, and passes on what records hold. Datagrams are
/// brought by one thread at a time; all else by any. Event ids 8010-8029.
/// </summary>
internal sealed partial class DtlsServer : IDisposable
{
    private static readonly TimeSpan HandshakeLimit = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan SecretLifetime = TimeSpan.FromMinutes(5);
    private static readonly ClientEnding Replaced = new(DisconnectedBy.Client, ReasonCode.SessionTakenOver, "it has come back by another association");

    private readonly CoapServer _server;
    private readonly Action<PeerEndPoint, byte[]> _send;
    private readonly TimeProvider _time;
    private readonly string _listener;
    private readonly ILogger _log;
    private readonly LogBudget _lines;
    private readonly AssociationTable _table = new();
    private readonly HandshakePool _pool;
    private readonly CookieCheck _cookies;
    private readonly ITimer _rotation;
    private volatile DtlsMaterial _material;

    /// <param name="server">What answers.</param>
    /// <param name="material">Who may shake hands.</param>
    /// <param name="listener">The listener's name in logs.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Event ids 8010-8029.</param>
    /// <param name="send">Sends a datagram; never blocks.</param>
    public DtlsServer(
        CoapServer server, DtlsMaterial material, string listener, TimeProvider time, ILogger log, Action<PeerEndPoint, byte[]> send)
    {
        _server = server;
        _material = material;
        _listener = listener;
        _time = time;
        _log = log;
        _send = send;
        _cookies = new CookieCheck(send);
        _pool = new HandshakePool(exception => server.Report(exception, "a DTLS handshake"));
        _lines = new LogBudget(time, each: 5, all: 50, (peer, held) => LogHeldBack(log, listener, held, peer ?? "other addresses"));
        _rotation = time.CreateTimer(_ => server.Run(_cookies.Rotate), null, SecretLifetime, SecretLifetime);
        server.Identify = Identify;
        server.Ended = EndForgotten;
    }

    /// <summary>What it has seen.</summary>
    public DtlsCounters Counters { get; } = new();

    /// <summary>Associations that have shaken hands.</summary>
    public int AssociationCount => _table.Count;

    /// <summary>Threads of handshakes.</summary>
    public int ThreadCount => _pool.ThreadCount;

    /// <summary>Bytes that clients have made it keep.</summary>
    public long MemoryBytes => (long)_table.Count * Association.Bytes;

    /// <summary>Who may shake hands from here on; whoever is in and may not any more is sent away.</summary>
    public void Take(DtlsMaterial material)
    {
        _material = material;
        foreach (Association one in _table.All())
        {
            if (FindObjection(one.Identity, material) is not { } cause) continue;
            LogSentAway(_log, _listener, one.At.ToString(), cause);
            End(one, isTold: true, ClientEnding.NotLetIn);
        }
    }

    /// <summary>Takes a datagram, whose bytes it changes. One thread at a time.</summary>
    public void Receive(in PeerEndPoint from, byte[] datagram, int length)
    {
        try
        {
            Sort(from, datagram, length);
        }
        catch (Exception exception)
        {
            _server.Report(exception, "a DTLS datagram of " + from);
        }
    }

    /// <summary>What messages to peers are as records: those that can be sent.</summary>
    public List<(PeerEndPoint To, byte[] Datagram)> Encrypt(List<(PeerEndPoint To, byte[] Datagram)> messages)
    {
        var records = new List<(PeerEndPoint To, byte[] Datagram)>(messages.Count);
        foreach ((PeerEndPoint to, byte[] payload) in messages)
        {
            if (_table.Find(to.Association) is { } association && association.Write(payload, out PeerEndPoint at) is { } datagram) records.Add((at, datagram));
        }

        return records;
    }

    /// <summary>Says goodbye to all, and shakes no hands any more.</summary>
    public void Dispose()
    {
        _rotation.Dispose();
        _pool.Dispose();
        foreach (Association one in _table.All()) End(one, isTold: true, ClientEnding.Stopping);
    }

    private void Sort(in PeerEndPoint from, byte[] datagram, int length)
    {
        ReadOnlySpan<byte> bytes = datagram.AsSpan(0, length);
        if (length < RecordCodec.HeaderLength)
        {
            Drop();
        }
        else if (bytes[0] == RecordCodec.WithConnectionId)
        {
            if (length < RecordCodec.HeaderLength + sizeof(ulong)) Drop();
            else Pass(_table.FindById(BinaryPrimitives.ReadUInt64BigEndian(bytes[RecordCodec.ConnectionIdOffset..])), from, datagram, length);
        }
        else if (CookieCheck.IsHello(bytes))
        {
            Greet(from, datagram, length);
        }
        else
        {
            (Association? association, Association? handshake) = _table.FindByAddress(from);
            bool isPlain = bytes[3] == 0 && bytes[4] == 0;
            // Of a client that shakes hands again the former association goes on until then; which of the two a record is for shows by its keys.
            if (handshake is null) Pass(isPlain ? null : association, from, datagram, length);
            else if (isPlain || association is null || !Pass(association, from, [.. bytes], length, isProbe: true)) Pass(handshake, from, datagram, length);
        }
    }

    private void Drop() => Interlocked.Increment(ref Counters.Dropped);

    private PeerIdentity? Identify(PeerEndPoint peer) => _table.Find(peer.Association)?.Identity;

    private bool Pass(Association? association, in PeerEndPoint from, byte[] datagram, int length, bool isProbe = false)
    {
        if (association?.Handshake is { } handshake)
        {
            if (!handshake.TryAdd(datagram.AsSpan(0, length))) Drop();
            return true;
        }

        if (association is null)
        {
            Drop();
            return false;
        }

        int offset = 0;
        bool isGood = false;
        while (offset < length)
        {
            RecordKind kind = association.Read(from, datagram, ref offset, length, out ArraySegment<byte> payload, out bool hasMoved);
            isGood |= kind != RecordKind.None;
            if (kind == RecordKind.None && !isProbe) Drop();
            if (hasMoved)
            {
                Interlocked.Increment(ref Counters.Moved);
                _server.Move(association.EndPoint, association.At);
            }

            if (kind == RecordKind.Data)
            {
                _server.Receive(association.EndPoint, payload);
            }
            else if (kind == RecordKind.Handshake)
            {
                foreach (byte[] one in association.LastFlight()) _send(association.At, one);
            }
            else if (kind == RecordKind.End)
            {
                End(association, isTold: true, ClientEnding.Goodbye);
                return true;
            }
        }

        return isGood;
    }

    private void Greet(in PeerEndPoint from, byte[] datagram, int length)
    {
        if (_cookies.Check(from, datagram, length) is not { } request)
        {
            Interlocked.Exchange(ref Counters.CookiesSent, _cookies.Sent);
            return;
        }

        byte[] random = CookieCheck.RandomOf(datagram).ToArray();
        if (_table.FindByAddress(from).Handshake is { } same && same.ClientRandom.AsSpan().SequenceEqual(random))
        {
            Pass(same, from, datagram, length);
            return;
        }

        var crypto = new CapturingCrypto();
        PeerEndPoint to = from;
        var transport = new HandshakeTransport(crypto, one => _send(to, one), _pool.MayWaitOn);
        Association association = _table.Add(from, random, transport, out Association? former);
        if (_pool.TryAdd(from.Network, () => Shake(association, crypto, transport, request))) return;
        _table.Remove(association);
        Interlocked.Increment(ref Counters.Refused);
        string cause = former is null ? "there are as many handshakes as there may be" : "it begins handshakes faster than it ends them";
        if (_lines.Admit(from.ToAddress().ToString())) LogRefused(_log, _listener, from.ToString(), cause);
    }

    // On a thread of the pool.
    private void Shake(Association association, CapturingCrypto crypto, HandshakeTransport transport, DtlsRequest request)
    {
        DtlsMaterial material = _material;
        var peer = new HandshakePeer(crypto, material, Association.ToBytes(association.ConnectionId), HandshakeLimit, _time.GetUtcNow());
        string? cause = null;
        try
        {
            new DtlsServerProtocol().Accept(peer, transport, request);
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or InvalidOperationException or CryptographicException)
        {
            cause = peer.Refusal ?? Explain(exception, peer);
        }

        if (cause is null && !peer.IsComplete) cause = "it did not come to its end";
        // The files may have changed meanwhile.
        if (cause is null && !ReferenceEquals(material, _material)) cause = FindObjection(peer.Identity, _material);
        if (cause is null) Enter(association, crypto, peer, transport);
        else Fail(association, cause);
    }

    private void Enter(Association association, CapturingCrypto crypto, HandshakePeer peer, HandshakeTransport transport)
    {
        association.Begin(crypto, peer, [.. transport.LastFlight]);
        var over = new List<Association>();
        if (!_table.TryEnter(association, over)) return;
        Interlocked.Increment(ref Counters.Succeeded);
        foreach (Association former in over) End(former, isTold: former.At != association.At, Replaced);
        if (!_server.Welcome(association.EndPoint))
        {
            End(association, isTold: true, ClientEnding.NotLetIn);
            return;
        }

        // What came behind the handshake, before anybody knew it was over.
        foreach (byte[] datagram in transport.TakeRest()) Pass(association, association.At with { Association = 0 }, datagram, datagram.Length);
    }

    private void Fail(Association association, string cause)
    {
        _table.Remove(association);
        Interlocked.Increment(ref Counters.Failed);
        if (_lines.Admit(association.At.ToAddress().ToString())) LogFailed(_log, _listener, association.At.ToString(), cause);
    }

    private static string Explain(Exception failure, HandshakePeer peer)
    {
        string who = peer.ClaimedIdentity is { } name ? $" (identity \"{new string([.. name.Where(c => !char.IsControl(c))])}\")" : "";
        return failure switch
        {
            TlsFatalAlertReceived received => "the client ended it: " + AlertDescription.GetText(received.AlertDescription) + who,
            TlsFatalAlert { AlertDescription: AlertDescription.decrypt_error } => "the client's key is another than ours" + who,
            TlsFatalAlert { AlertDescription: AlertDescription.user_canceled } => "the client said nothing for long, and others waited" + who,
            TlsFatalAlert { AlertDescription: AlertDescription.handshake_failure } =>
                "the client offers no cipher that the listener can use: [listener.psk] is for clients with keys, [listener.tls] for others" + who,
            TlsFatalAlert { AlertDescription: AlertDescription.protocol_version } => "the client does not speak DTLS 1.2" + who,
            TlsTimeoutException => "the client said nothing any more" + who,
            _ => failure.Message + who,
        };
    }

    private string? FindObjection(PeerIdentity identity, DtlsMaterial material)
    {
        if (identity.Psk is { } psk && material.Psk?.Find(psk.Identity)?.IsSameAs(psk) != true)
        {
            return $"the key of \"{psk.Identity}\" is not in force any more";
        }

        return identity.Certificate is { } certificate && material.Tls is { } tls ? certificate.FindObjection(tls, _time.GetUtcNow()) : null;
    }

    private void End(Association association, bool isTold, ClientEnding ending)
    {
        if (!_table.Remove(association)) return;
        if (isTold && association.WriteEnd(out PeerEndPoint at) is { } datagram) _send(at, datagram);
        _server.Forget(association.EndPoint, ending);
    }

    // Its peer is forgotten already.
    private void EndForgotten(PeerEndPoint peer)
    {
        if (_table.Find(peer.Association) is { } association) End(association, isTold: true, ClientEnding.Silent);
    }

    [LoggerMessage(8010, LogLevel.Warning, "{Listener}: DTLS handshake with {Peer} failed: {Cause}")]
    private static partial void LogFailed(ILogger log, string listener, string peer, string cause);

    [LoggerMessage(8011, LogLevel.Warning, "{Listener}: DTLS handshake with {Peer} refused: {Cause}")]
    private static partial void LogRefused(ILogger log, string listener, string peer, string cause);

    [LoggerMessage(8012, LogLevel.Information, "{Listener}: {Peer} is sent away: {Cause}")]
    private static partial void LogSentAway(ILogger log, string listener, string peer, string cause);

    [LoggerMessage(8013, LogLevel.Warning, "{Listener}: {Count} more failed or refused DTLS handshakes of {Peer} within 10 s")]
    private static partial void LogHeldBack(ILogger log, string listener, long count, string peer);
}
