using System.Buffers.Binary;
using EdgeBroker.Coap.Messages;
using Org.BouncyCastle.Tls;

namespace EdgeBroker.Coap.Dtls;

/// <summary>One client's DTLS: a handshake at first, then its records. Any thread.</summary>
internal sealed class Association
{
    /// <summary>What one weighs: its cipher, keys and tables.</summary>
    public const int Bytes = 6_000;

    // The end of the handshake is sent again no oftener, whatever comes.
    private const int MaxLastFlights = 5;

    private readonly Lock _lock = new();
    private RecordCodec? _records;
    private IReadOnlyList<byte[]> _lastFlight = [];
    private int _lastFlights;

    /// <param name="endPoint">What it is known by: its first address and its number.</param>
    /// <param name="connectionId">What the client's records bear, where it can.</param>
    /// <param name="clientRandom">Tells one ClientHello from another.</param>
    public Association(in PeerEndPoint endPoint, ulong connectionId, byte[] clientRandom)
    {
        EndPoint = At = endPoint;
        ConnectionId = connectionId;
        ClientRandom = clientRandom;
    }

    /// <summary>What it is known by.</summary>
    public PeerEndPoint EndPoint { get; }

    /// <summary>Where it was last heard of.</summary>
    public PeerEndPoint At { get; private set; }

    /// <summary>What the client's records bear, where it can.</summary>
    public ulong ConnectionId { get; }

    /// <summary>What its handshake began with.</summary>
    public byte[] ClientRandom { get; }

    /// <summary>Brings datagrams to its handshake; null: it is over.</summary>
    public HandshakeTransport? Handshake { get; set; }

    /// <summary>Who the client is.</summary>
    public PeerIdentity Identity { get; private set; } = new(null, null);

    /// <summary>Whether the client's records bear a connection id.</summary>
    public bool HasConnectionId { get; private set; }

    /// <summary>The bytes of a connection id.</summary>
    public static byte[] ToBytes(ulong connectionId)
    {
        byte[] bytes = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, connectionId);
        return bytes;
    }

    /// <summary>Its handshake has succeeded.</summary>
    public void Begin(CapturingCrypto crypto, HandshakePeer peer, IReadOnlyList<byte[]> lastFlight)
    {
        lock (_lock.Alone())
        {
            Identity = peer.Identity;
            HasConnectionId = peer.ConnectionIds.OfClient.Length > 0;
            _records = new RecordCodec(crypto.Cipher!, peer.ConnectionIds.OfClient, peer.ConnectionIds.Ours, NextSequence(lastFlight));
            _lastFlight = lastFlight;
        }
    }

    /// <summary>Reads the record at the beginning of a datagram, and follows the client to where it came from.</summary>
    /// <param name="from">Where the datagram came from.</param>
    /// <param name="datagram">The datagram; decrypted in place.</param>
    /// <param name="offset">Where the record begins; afterwards, where the next one does.</param>
    /// <param name="end">Where the datagram ends.</param>
    /// <param name="payload">What the record holds; nobody else's.</param>
    /// <param name="hasMoved">Whether the client is somewhere else than before.</param>
    public RecordKind Read(in PeerEndPoint from, byte[] datagram, ref int offset, int end, out ArraySegment<byte> payload, out bool hasMoved)
    {
        hasMoved = false;
        lock (_lock.Alone())
        {
            payload = default;
            if (_records is not { } records)
            {
                offset = end;
                return RecordKind.None;
            }

            RecordKind kind = records.Read(datagram, ref offset, end, out payload);
            if (kind is RecordKind.Data or RecordKind.Handshake && HasConnectionId && records.IsNewest && !IsAt(from))
            {
                At = EndPoint with { Address = from.Address, Port = from.Port, Scope = from.Scope };
                hasMoved = true;
            }

            // The client goes on, so it has got the end of the handshake.
            if (kind == RecordKind.Data && _lastFlight.Count > 0) _lastFlight = [];
            return kind;
        }
    }

    /// <summary>What to send to a client that repeats the end of its handshake.</summary>
    public IReadOnlyList<byte[]> LastFlight()
    {
        lock (_lock.Alone()) return _lastFlights++ < MaxLastFlights ? _lastFlight : [];
    }

    /// <summary>A datagram for the client; null: none can be made.</summary>
    public byte[]? Write(ReadOnlySpan<byte> payload, out PeerEndPoint to) => Write(ContentType.application_data, payload, out to);

    /// <summary>Says to the client that this is the end; null: there is no way to say it.</summary>
    public byte[]? WriteEnd(out PeerEndPoint to) => Write(ContentType.alert, [(byte)AlertLevel.warning, (byte)AlertDescription.close_notify], out to);

    // The handshake's own records of the epoch; ours go on behind them. Any of them may have been sent again.
    private static long NextSequence(IReadOnlyList<byte[]> flight)
    {
        long next = 0;
        foreach (byte[] datagram in flight)
        {
            int offset = 0;
            while (offset + RecordCodec.HeaderLength <= datagram.Length)
            {
                ulong number = BinaryPrimitives.ReadUInt64BigEndian(datagram.AsSpan(offset + 3));
                if (number >> 48 == 1)
                {
                    next = Math.Max(next, (long)(number & 0xFFFF_FFFF_FFFF) + 1);
                    // Nothing but Finished follows in this epoch, one record a datagram.
                    break;
                }

                offset += RecordCodec.HeaderLength + BinaryPrimitives.ReadUInt16BigEndian(datagram.AsSpan(offset + 11));
            }
        }

        return next;
    }

    private bool IsAt(in PeerEndPoint from) => from.Address == At.Address && from.Port == At.Port && from.Scope == At.Scope;

    private byte[]? Write(short contentType, ReadOnlySpan<byte> payload, out PeerEndPoint to)
    {
        lock (_lock.Alone())
        {
            to = At;
            return _records?.Write(contentType, payload);
        }
    }
}
