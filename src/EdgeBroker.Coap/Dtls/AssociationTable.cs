using System.Buffers.Binary;
using System.Security.Cryptography;
using EdgeBroker.Coap.Messages;

namespace EdgeBroker.Coap.Dtls;

/// <summary>
/// The associations of a listener, found by connection id, by address and by number; and the handshakes under way. Has no bounds of its own: an association is
/// a peer, of which there are so many, and a handshake is one of its pool. Any thread.
/// </summary>
internal sealed class AssociationTable
{
    // Whoever has one key has so many at once; a device that comes back leaves its old one behind.
    private const int MaxOfIdentity = 4;

    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, Association> _byId = [];
    private readonly Dictionary<PeerEndPoint, Association> _byAddress = [];
    private readonly Dictionary<PeerEndPoint, Association> _handshakes = [];
    private readonly Dictionary<uint, Association> _byNumber = [];
    private readonly Dictionary<string, List<Association>> _byIdentity = new(StringComparer.Ordinal);
    private uint _number;

    /// <summary>How many have shaken hands.</summary>
    public int Count
    {
        get
        {
            lock (_lock.Alone()) return _byNumber.Count;
        }
    }

    /// <summary>All that have shaken hands.</summary>
    public List<Association> All()
    {
        lock (_lock.Alone()) return [.. _byNumber.Values];
    }

    /// <summary>Whom a connection id belongs to; null: nobody.</summary>
    public Association? FindById(ulong connectionId)
    {
        lock (_lock.Alone()) return _byId.GetValueOrDefault(connectionId);
    }

    /// <summary>Who has shaken hands from an address, and whose records bear no connection id; and whose handshake is under way there.</summary>
    public (Association? Association, Association? Handshake) FindByAddress(in PeerEndPoint address)
    {
        lock (_lock.Alone()) return (_byAddress.GetValueOrDefault(address), _handshakes.GetValueOrDefault(address));
    }

    /// <summary>The association of a number that has shaken hands; null: none.</summary>
    public Association? Find(uint number)
    {
        lock (_lock.Alone()) return _byNumber.GetValueOrDefault(number);
    }

    /// <summary>Enters a handshake, in place of an older one from there.</summary>
    /// <param name="from">Where it comes from.</param>
    /// <param name="clientRandom">What it begins with.</param>
    /// <param name="transport">Brings it its datagrams.</param>
    /// <param name="former">The older one; null: none.</param>
    public Association Add(in PeerEndPoint from, byte[] clientRandom, HandshakeTransport transport, out Association? former)
    {
        Span<byte> random = stackalloc byte[sizeof(ulong)];
        lock (_lock.Alone())
        {
            former = _handshakes.GetValueOrDefault(from);
            if (former is not null) _byId.Remove(former.ConnectionId);
            ulong connectionId;
            do
            {
                RandomNumberGenerator.Fill(random);
                connectionId = BinaryPrimitives.ReadUInt64BigEndian(random);
            }
            while (_byId.ContainsKey(connectionId));
            do _number++;
            while (_number == 0 || _byNumber.ContainsKey(_number));
            var endPoint = new PeerEndPoint(from.Address, from.Port, from.Scope, _number);
            var association = new Association(endPoint, connectionId, clientRandom) { Handshake = transport };
            _handshakes[from] = association;
            _byId[connectionId] = association;
            return association;
        }
    }

    /// <summary>A handshake has succeeded. False: another has taken its place.</summary>
    /// <param name="association">The association.</param>
    /// <param name="over">Those that end with it: the one before from its address, and those too many of its identity.</param>
    public bool TryEnter(Association association, List<Association> over)
    {
        lock (_lock.Alone())
        {
            PeerEndPoint address = association.EndPoint with { Association = 0 };
            association.Handshake = null;
            if (_handshakes.GetValueOrDefault(address) != association) return false;
            _handshakes.Remove(address);
            _byNumber[association.EndPoint.Association] = association;
            if (!association.HasConnectionId)
            {
                _byId.Remove(association.ConnectionId);
                if (_byAddress.TryGetValue(address, out Association? former)) over.Add(former);
                _byAddress[address] = association;
            }

            if (association.Identity.Name is { } name)
            {
                if (!_byIdentity.TryGetValue(name, out List<Association>? own)) _byIdentity.Add(name, own = []);
                own.Add(association);
                if (own.Count > MaxOfIdentity) over.Add(own[0]);
            }

            return true;
        }
    }

    /// <summary>Removes an association, or a handshake; false: it is not there.</summary>
    public bool Remove(Association association)
    {
        lock (_lock.Alone())
        {
            PeerEndPoint address = association.EndPoint with { Association = 0 };
            if (_byId.GetValueOrDefault(association.ConnectionId) == association) _byId.Remove(association.ConnectionId);
            if (_byAddress.GetValueOrDefault(address) == association) _byAddress.Remove(address);
            if (association.Identity.Name is { } name && _byIdentity.TryGetValue(name, out List<Association>? own))
            {
                own.Remove(association);
                if (own.Count == 0) _byIdentity.Remove(name);
            }

            bool wasHandshake = _handshakes.GetValueOrDefault(address) == association && _handshakes.Remove(address);
            return _byNumber.Remove(association.EndPoint.Association) || wasHandshake;
        }
    }
}
