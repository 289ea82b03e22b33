using System.Net;
using System.Net.Sockets;
using DotNext.Buffers;
using DotNext.Net.Cluster.Consensus.Raft.Membership;

namespace EdgeBroker.Cluster.Consensus;

/// <summary>The list of voters on disk, and as it comes from the leader: address family, address, port of each.</summary>
internal sealed class MemberStorage : PersistentClusterConfigurationStorage<EndPoint>
{
    private const byte V4 = 4;
    private const byte V6 = 6;
    private const int V4Bytes = 4;
    private const int V6Bytes = 16;
    // Its version and the number of voters.
    private const int LeastFileBytes = 8 + 4;

    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The file is there and cannot be such a list.</exception>
    public MemberStorage(string path)
        : base(path)
    {
        if (File.Exists(path) && new FileInfo(path).Length < LeastFileBytes)
        {
            throw new InvalidDataException(
                $"{path} is damaged. Remove this member from the cluster on another one, delete its folder, and let it join again");
        }
    }

    /// <inheritdoc/>
    protected override void Encode(EndPoint address, ref BufferWriterSlim<byte> output)
    {
        var voter = (IPEndPoint)address;
        byte[] bytes = voter.Address.GetAddressBytes();
        output.Add(voter.AddressFamily == AddressFamily.InterNetwork ? V4 : V6);
        output.Write(bytes);
        output.Add((byte)(voter.Port >> 8));
        output.Add((byte)voter.Port);
    }

    /// <inheritdoc/>
    protected override EndPoint Decode(ref SequenceReader reader)
    {
        int length = reader.ReadByte() switch
        {
            V4 => V4Bytes,
            V6 => V6Bytes,
            var other => throw new InvalidDataException($"{other} is no address family in a list of voters"),
        };
        Span<byte> address = stackalloc byte[length];
        reader.Read(address);
        int port = (reader.ReadByte() << 8) | reader.ReadByte();
        return new IPEndPoint(new IPAddress(address), port);
    }
}
