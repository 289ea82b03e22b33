using System.Buffers;
using System.Collections.Immutable;
using EdgeBroker.Cluster.Fields;

namespace EdgeBroker.Cluster.State;

/// <summary>
/// Commands and what became of them, as bytes in the log and on links: kind, version, fields in network byte order. A command is read whole or not at all,
/// and what reads is within all limits.
/// </summary>
internal static class CommandCodec
{
    private const byte Version = 1;
    private const int LeastClaimBytes = 2 + 1 + 8 + 8 + 1;
    private const int ClaimAnswerBytes = 1 + 1 + 8;

    private enum Kind : byte
    {
        NodeUp = 1,
        NodeDown = 2,
        NodeLeft = 3,
        ClaimSessions = 4,
        TakeLease = 5,
        RaiseLevel = 6,
    }

    /// <summary>A command's bytes.</summary>
    public static byte[] Write(ClusterCommand command)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var fields = new FieldWriter(buffer);
        switch (command)
        {
            case NodeUp up:
                Begin(fields, Kind.NodeUp);
                Write(fields, up);
                break;
            case NodeDown down:
                Begin(fields, Kind.NodeDown);
                fields.Byte(down.Node);
                fields.Number(down.Incarnation);
                break;
            case NodeLeft left:
                Begin(fields, Kind.NodeLeft);
                fields.Byte(left.Node);
                fields.Flag(left.IsReplaced);
                break;
            case ClaimSessions claims:
                Begin(fields, Kind.ClaimSessions);
                Write(fields, claims);
                break;
            case TakeLease lease:
                Begin(fields, Kind.TakeLease);
                fields.Text(lease.Name);
                fields.Byte(lease.Node);
                fields.Number(lease.Incarnation);
                fields.Number(lease.KnownGrant);
                break;
            case RaiseLevel level:
                Begin(fields, Kind.RaiseLevel);
                fields.Byte(level.Version);
                break;
            default:
                throw new ArgumentException($"{command.GetType().Name} is no command", nameof(command));
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads a command; null: these bytes are none, or one of a later version.</summary>
    public static ClusterCommand? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > StateLimits.MostCommandBytes) return null;
        var fields = new FieldReader(bytes);
        var kind = (Kind)fields.Byte();
        if (fields.Byte() != Version) return null;
        ClusterCommand? command = kind switch
        {
            Kind.NodeUp => ReadNodeUp(ref fields),
            Kind.NodeDown => new NodeDown(Node(ref fields), Positive(ref fields)),
            Kind.NodeLeft => new NodeLeft(Node(ref fields), fields.Flag()),
            Kind.ClaimSessions => ReadClaims(ref fields),
            Kind.TakeLease => ReadLease(ref fields),
            Kind.RaiseLevel => new RaiseLevel(fields.Byte()),
            _ => null,
        };
        return fields.IsWhole ? command : null;
    }

    /// <summary>The bytes of what became of a command.</summary>
    public static byte[] Write(Applied applied)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var fields = new FieldWriter(buffer);
        fields.Byte(Version);
        fields.Byte((byte)applied.Outcome);
        fields.Byte((byte)applied.Former);
        fields.Number(applied.Index);
        fields.Number(applied.Grant);
        fields.UInt16(applied.Claims.Length);
        foreach (ClaimAnswer answer in applied.Claims)
        {
            fields.Flag(answer.IsGranted);
            fields.Byte(answer.Owner);
            fields.Number(answer.Grant);
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads what became of a command; null: these bytes do not say.</summary>
    public static Applied? ReadApplied(ReadOnlySpan<byte> bytes)
    {
        var fields = new FieldReader(bytes);
        fields.Require(fields.Byte() == Version);
        var outcome = (CommandOutcome)fields.Byte();
        var former = (FormerState)fields.Byte();
        fields.Require(outcome <= CommandOutcome.Full && former <= FormerState.Left);
        long index = fields.Number();
        long grant = fields.Number();
        int count = fields.UInt16();
        fields.Require(count * ClaimAnswerBytes == fields.Left);
        if (fields.IsBroken) return null;
        ImmutableArray<ClaimAnswer>.Builder claims = ImmutableArray.CreateBuilder<ClaimAnswer>(count);
        for (int i = 0; i < count; i++)
        {
            var answer = new ClaimAnswer(fields.Flag(), fields.Byte(), fields.Number());
            fields.Require(answer.Owner <= StateLimits.MostNodes);
            claims.Add(answer);
        }

        return fields.IsWhole ? new Applied { Index = index, Outcome = outcome, Former = former, Grant = grant, Claims = claims.MoveToImmutable() } : null;
    }

    /// <summary>The fields of a start, also in snapshots.</summary>
    public static void Write(FieldWriter fields, NodeUp up)
    {
        fields.Byte(up.Node);
        fields.Text(up.Name);
        fields.Number(up.Incarnation);
        fields.Guid(up.StoreId);
        fields.Bytes(Convert.FromHexString(up.Fingerprint));
        fields.Text(up.LinkAddress);
        fields.Text(up.RaftAddress);
        fields.Byte((byte)up.Servers.Count);
        foreach (string server in up.Servers) fields.Text(server);
        fields.Byte(up.WireMin);
        fields.Byte(up.WireMax);
        fields.Byte(up.RaftGeneration);
        fields.UInt64(up.ConfigurationHash);
        fields.Flag(up.IsWitness);
        fields.Number(up.HighestGrant);
        fields.Number(up.SettledThrough);
    }

    /// <summary>Reads the fields of a start.</summary>
    public static NodeUp ReadNodeUp(ref FieldReader fields)
    {
        byte node = Node(ref fields);
        string name = fields.Text(1, StateLimits.MostNameBytes);
        long incarnation = Positive(ref fields);
        Guid storeId = fields.Guid();
        string fingerprint = Convert.ToHexStringLower(fields.Take(StateLimits.FingerprintBytes));
        string link = fields.Text(1, StateLimits.MostAddressBytes);
        string raft = fields.Text(0, StateLimits.MostAddressBytes);
        int count = fields.Byte();
        fields.Require(count <= StateLimits.MostServers);
        var servers = new string[fields.IsBroken ? 0 : count];
        for (int i = 0; i < servers.Length; i++) servers[i] = fields.Text(1, StateLimits.MostAddressBytes);
        byte wireMin = fields.Byte();
        byte wireMax = fields.Byte();
        fields.Require(wireMin <= wireMax);
        return new NodeUp
        {
            Node = node,
            Name = name,
            Incarnation = incarnation,
            StoreId = storeId,
            Fingerprint = fingerprint,
            LinkAddress = link,
            RaftAddress = raft,
            Servers = servers,
            WireMin = wireMin,
            WireMax = wireMax,
            RaftGeneration = fields.Byte(),
            ConfigurationHash = fields.UInt64(),
            IsWitness = fields.Flag(),
            HighestGrant = fields.Number(),
            SettledThrough = fields.Number(),
        };
    }

    /// <summary>A node's id, which must be one.</summary>
    public static byte Node(ref FieldReader fields)
    {
        byte node = fields.Byte();
        fields.Require(node is >= 1 and <= StateLimits.MostNodes);
        return node;
    }

    /// <summary>A number that counts from 1.</summary>
    public static long Positive(ref FieldReader fields)
    {
        long number = fields.Number();
        fields.Require(number > 0);
        return number;
    }

    private static void Begin(FieldWriter fields, Kind kind)
    {
        fields.Byte((byte)kind);
        fields.Byte(Version);
    }

    private static void Write(FieldWriter fields, ClaimSessions claims)
    {
        fields.Byte(claims.Node);
        fields.Number(claims.Incarnation);
        fields.Byte(claims.Over);
        fields.Number(claims.OverIncarnation);
        fields.Flag(claims.IsLongUnlinked);
        fields.UInt16(claims.Sessions.Count);
        foreach (SessionToClaim session in claims.Sessions)
        {
            fields.Text(session.ClientId);
            fields.Number(session.KnownGrant);
            fields.Number(session.ConnectionStamp);
            fields.Flag(session.IsClean);
        }
    }

    private static ClaimSessions? ReadClaims(ref FieldReader fields)
    {
        byte node = Node(ref fields);
        long incarnation = Positive(ref fields);
        byte over = Node(ref fields);
        long overIncarnation = Positive(ref fields);
        bool isLongUnlinked = fields.Flag();
        int count = fields.UInt16();
        // What cannot be there is not made room for.
        fields.Require(count > 0 && count * LeastClaimBytes <= fields.Left && over != node);
        if (fields.IsBroken) return null;
        var sessions = new SessionToClaim[count];
        for (int i = 0; i < count; i++)
        {
            sessions[i] = new SessionToClaim(fields.Text(1, StateLimits.MostClientIdBytes), fields.Number(), fields.Number(), fields.Flag());
        }

        return new ClaimSessions(node, incarnation, over, overIncarnation, isLongUnlinked, sessions);
    }

    private static TakeLease ReadLease(ref FieldReader fields)
    {
        string name = fields.Text(1, StateLimits.MostNameBytes);
        byte node = fields.Byte();
        long incarnation = fields.Number();
        long known = fields.Number();
        fields.Require(node <= StateLimits.MostNodes && (node == 0 ? incarnation == 0 : incarnation > 0));
        return new TakeLease(name, node, incarnation, known);
    }
}
