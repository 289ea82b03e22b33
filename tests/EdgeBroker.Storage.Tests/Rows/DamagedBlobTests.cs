using System.Buffers.Binary;
using CsCheck;
using EdgeBroker.Core;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using EdgeBroker.Storage.Journal;
using EdgeBroker.Storage.Rows;

namespace EdgeBroker.Storage.Tests.Rows;

/// <summary>Whatever a blob holds, reading it ends, throws nothing, and yields no more entries than the blob has bytes.</summary>
public sealed class DamagedBlobTests
{
    private static readonly Gen<(int Place, byte Value, int Kind)[]> Mutations = Gen.Select(Gen.Int[0, 9_999], Gen.Byte, Gen.Int[0, 3]).Array[1, 6];

    [Fact]
    public void A_blob_that_was_changed_is_told_by_its_checksum() => Mutations.Sample(mutations =>
    {
        foreach (byte[] blob in Samples())
        {
            byte[] changed = Mutate(blob, mutations);
            if (changed.AsSpan().SequenceEqual(blob)) continue;
            Assert.True(new BlobReader(changed).IsDamaged);
            Assert.Null(WillBlob.Read(changed));
            Assert.Null(QueuePolicyBlob.Read(changed));
            Assert.Null(DoneSet.Read(1, changed));
            var reader = new BlobReader(changed);
            Assert.False(Receivers.TryReadMessage(ref reader, out _));
        }
    });

    [Fact]
    public void One_whose_checksum_is_right_all_the_same_is_read_without_harm() => Mutations.Sample(mutations =>
    {
        foreach (byte[] blob in Samples()) Read(Sealed(Mutate(blob[..^4], mutations)));
    });

    [Fact]
    public void Any_bytes_are_read_without_harm() => Gen.Byte.Array[0, 80].Sample(bytes =>
    {
        Read(bytes);
        Read(Sealed(bytes));
    });

    private static void Read(byte[] blob)
    {
        WillBlob.Read(blob);
        if (QueuePolicyBlob.Read(blob) is { } policy) Assert.Equal(policy, QueuePolicyBlob.Read(QueuePolicyBlob.Of(policy)));
        if (DoneSet.Read(1, blob) is { } done)
        {
            done.Contains(5);
            done.Add(1);
            done.Add(7);
        }

        var reader = new BlobReader(blob);
        int messages = 0;
        for (; Receivers.TryReadMessage(ref reader, out WaitingMessage message); messages++)
        {
            Assert.InRange(message.SizeBytes, 0, int.MaxValue);
            for (int i = 0; i < message.Receivers && Receivers.TryRead(ref reader, out Receiver receiver); i++)
            {
                Assert.True((receiver.SubscriptionIdentifiers?.Length ?? 0) + (receiver.SharedFilter?.Length ?? 0) <= blob.Length);
            }
        }

        Assert.True(messages <= blob.Length);
        Assert.True(reader.IsDamaged || reader.IsAtEnd);
        if (!reader.IsDamaged) return;
        Assert.Equal((0L, 0, (byte)0, 0), (reader.Number(), reader.Count(), reader.Byte(), reader.Bytes().Length));
    }

    private static byte[][] Samples()
    {
        var done = new DoneSet();
        foreach (int position in (int[])[1, 2, 5, 6, 9, 300, 70_000]) done.Add(position);
        var will = new Will(new Message { Topic = "a/b"u8.ToArray(), Payload = new byte[20], Properties = [3, 0, 1, 65], QoS = QoS.AtLeastOnce }, 300, 90_000);
        var receivers = new BlobWriter();
        for (int i = 0; i < 3; i++)
        {
            Receivers.WriteMessage(receivers, new WaitingMessage(2, 1_000, i == 1 ? Message.Never : 86_400_000, 5_000 * i));
            var record = new PublishRecord(will.Message);
            Receivers.Write(receivers, 7, record.Add(new SqliteSession("c"), 100 + i, QoS.AtLeastOnce, true, [1, 300], null));
            Receivers.Write(receivers, 8, record.Add(new SqliteSession("d"), 200 + i, QoS.ExactlyOnce, false, null, "$share/g/a"u8.ToArray()));
        }

        var policy = new QueuePolicy(1_000, 1_000_000, TimeSpan.FromHours(1), 500_000, QueueOverflow.HoldPublishers, KeepsQoS0: true);
        return [done.ToBlob(), WillBlob.Of(will), QueuePolicyBlob.Of(policy), receivers.ToArray()];
    }

    private static byte[] Mutate(byte[] blob, (int Place, byte Value, int Kind)[] mutations)
    {
        var bytes = new List<byte>(blob);
        foreach ((int place, byte value, int kind) in mutations)
        {
            if (bytes.Count == 0) break;
            int at = place % bytes.Count;
            switch (kind)
            {
                case 0: bytes[at] = value; break;
                case 1: bytes.RemoveRange(at, Math.Min(1 + (value % 4), bytes.Count - at)); break;
                case 2: bytes.Insert(at, value); break;
                default: bytes[at] = 0xFF; break;
            }
        }

        return [.. bytes];
    }

    private static byte[] Sealed(byte[] bytes)
    {
        byte[] blob = [.. bytes, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32LittleEndian(blob.AsSpan(bytes.Length), Checksum.Of(bytes));
        return blob;
    }
}
