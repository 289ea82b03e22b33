using System.Buffers;
using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.InteropServices;
using EdgeBroker.Cluster.Fields;

namespace EdgeBroker.Cluster.State;

/// <summary>
/// The whole state as bytes: <c>EBCS</c>, version, length and CRC-32C of the rest; members, leases, refused certificates, claims. The same state has the same
/// bytes on every member. What reads was checked as a command is.
/// </summary>
internal static class SnapshotCodec
{
    private const uint Magic = 0x45424353;
    private const byte Version = 1;
    private const int HeaderBytes = 4 + 1 + 4 + 4;
    private const int LeastClaimBytes = 2 + 1 + 1 + 8 + 1 + 8 + 1;

    /// <summary>The bytes of a state.</summary>
    public static byte[] Write(ClusterStateMachine machine)
    {
        var body = new ArrayBufferWriter<byte>();
        var fields = new FieldWriter(body);
        ClusterView view = machine.View;
        fields.Number(view.Index);
        fields.Number(view.LastGrant);
        fields.Byte(view.Level);
        fields.Byte((byte)view.Members.Count);
        foreach (ClusterMember member in view.Members.Values)
        {
            fields.Byte((byte)member.State);
            fields.Number(member.DeadIncarnation);
            fields.Byte(member.WillsBy);
            CommandCodec.Write(fields, member.Start);
        }

        fields.UInt16(view.Leases.Count);
        foreach ((string name, Lease lease) in view.Leases)
        {
            fields.Text(name);
            fields.Byte(lease.Node);
            fields.Number(lease.Incarnation);
            fields.Number(lease.Grant);
        }

        fields.UInt16(view.RefusedCertificates.Count);
        foreach (string fingerprint in view.RefusedCertificates) fields.Bytes(Convert.FromHexString(fingerprint));
        List<KeyValuePair<string, Claim>> claims = machine.Claims.InOrder();
        fields.UInt32((uint)claims.Count);
        foreach ((string clientId, Claim claim) in claims)
        {
            fields.Text(clientId);
            fields.Byte(claim.Owner);
            fields.Number(claim.Grant);
            fields.Byte(claim.Over);
            fields.Number(claim.ConnectionStamp);
            fields.Flag(claim.IsClean);
        }

        var all = new ArrayBufferWriter<byte>(HeaderBytes + body.WrittenCount);
        var header = new FieldWriter(all);
        header.UInt32(Magic);
        header.Byte(Version);
        header.UInt32((uint)body.WrittenCount);
        header.UInt32(Checksum(body.WrittenSpan));
        header.Bytes(body.WrittenSpan);
        return all.WrittenSpan.ToArray();
    }

    /// <summary>Reads a state.</summary>
    /// <exception cref="DamagedSnapshotException">The bytes are none.</exception>
    public static ClusterStateMachine Read(ReadOnlySpan<byte> bytes)
    {
        var header = new FieldReader(bytes);
        if (header.UInt32() != Magic) throw new DamagedSnapshotException("it is no snapshot of a cluster's state");
        if (header.Byte() is var version && version != Version) throw new DamagedSnapshotException($"it is of version {version}; this program reads {Version}");
        uint length = header.UInt32();
        uint checksum = header.UInt32();
        if (header.IsBroken || length != header.Left) throw new DamagedSnapshotException($"it has {header.Left} bytes where {length} belong");
        ReadOnlySpan<byte> body = bytes[^header.Left..];
        if (Checksum(body) != checksum) throw new DamagedSnapshotException("its checksum is wrong");
        var fields = new FieldReader(body);
        ClusterView view = ReadView(ref fields);
        ClaimTable claims = ReadClaims(ref fields);
        return fields.IsWhole ? new ClusterStateMachine(view, claims) : throw new DamagedSnapshotException("a field in it is not allowed");
    }

    private static ClusterView ReadView(ref FieldReader fields)
    {
        long index = fields.Number();
        long lastGrant = fields.Number();
        byte level = fields.Byte();
        int members = fields.Byte();
        fields.Require(members <= StateLimits.MostNodes);
        ImmutableSortedDictionary<byte, ClusterMember>.Builder byNode = ClusterView.Empty.Members.ToBuilder();
        for (int i = 0; i < members && !fields.IsBroken; i++)
        {
            var state = (MemberState)fields.Byte();
            fields.Require(state is >= MemberState.Up and <= MemberState.Left);
            long dead = fields.Number();
            byte willsBy = fields.Byte();
            NodeUp start = CommandCodec.ReadNodeUp(ref fields);
            fields.Require(dead <= start.Incarnation && willsBy <= StateLimits.MostNodes && willsBy != start.Node);
            fields.Require(byNode.TryAdd(start.Node, new ClusterMember(state, start) { DeadIncarnation = dead, WillsBy = willsBy }));
        }

        int leases = fields.UInt16();
        fields.Require(leases <= StateLimits.MostLeases);
        ImmutableSortedDictionary<string, Lease>.Builder byName = ClusterView.Empty.Leases.ToBuilder();
        for (int i = 0; i < leases && !fields.IsBroken; i++)
        {
            string name = fields.Text(1, StateLimits.MostNameBytes);
            fields.Require(byName.TryAdd(name, new Lease(CommandCodec.Node(ref fields), CommandCodec.Positive(ref fields), fields.Number())));
        }

        int refused = fields.UInt16();
        fields.Require(refused <= StateLimits.MostRefusedCertificates);
        ImmutableList<string>.Builder certificates = ImmutableList.CreateBuilder<string>();
        for (int i = 0; i < refused && !fields.IsBroken; i++) certificates.Add(Convert.ToHexStringLower(fields.Take(StateLimits.FingerprintBytes)));
        return new ClusterView
        {
            Index = index,
            LastGrant = lastGrant,
            Level = level,
            Members = byNode.ToImmutable(),
            Leases = byName.ToImmutable(),
            RefusedCertificates = certificates.ToImmutable(),
        };
    }

    private static ClaimTable ReadClaims(ref FieldReader fields)
    {
        uint count = fields.UInt32();
        fields.Require(count <= StateLimits.MostClaims && count * LeastClaimBytes <= fields.Left);
        var claims = new ClaimTable();
        for (uint i = 0; i < count && !fields.IsBroken; i++)
        {
            string clientId = fields.Text(1, StateLimits.MostClientIdBytes);
            var claim = new Claim(CommandCodec.Node(ref fields), fields.Number(), CommandCodec.Node(ref fields), fields.Number(), fields.Flag());
            fields.Require(claims.Find(clientId) is null && claims.TrySet(clientId, claim));
        }

        return claims;
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes)) crc = BitOperations.Crc32C(crc, word);
        foreach (byte rest in bytes[(bytes.Length & ~7)..]) crc = BitOperations.Crc32C(crc, rest);
        return ~crc;
    }
}
