using CsCheck;
using EdgeBroker.Transport.Buffers;

namespace EdgeBroker.Transport.Tests.Buffers;

public sealed class ReceivedBytesTests
{
    [Theory]
    [InlineData(9_000, 2_000, 500)]
    [InlineData(300_000, 150_000, 60)]
    public void Units_in_any_pieces_come_whole_and_nothing_is_kept_between_them(int mostUnitBytes, int mostPieceBytes, int histories) =>
        Gen.Select(Gen.Int[1, mostUnitBytes].Array[1, 12], Gen.Int[1, mostPieceBytes].Array[1, 20]).Sample((units, pieces) =>
        {
            byte[] stream = new byte[units.Sum()];
            for (int i = 0; i < stream.Length; i++) stream[i] = (byte)(i * 31);
            byte[] shared = new byte[4_096];
            var received = new ReceivedBytes();
            int at = 0, unit = 0, done = 0;
            for (int piece = 0; at < stream.Length; piece++)
            {
                Span<byte> room = received.Room(shared, out int kept);
                Assert.True(room.Length > kept, "no room to receive");
                int count = Math.Min(Math.Min(pieces[piece % pieces.Length], room.Length - kept), stream.Length - at);
                stream.AsSpan(at, count).CopyTo(room[kept..]);
                at += count;
                Span<byte> bytes = room[..(kept + count)];
                Assert.True(bytes.SequenceEqual(stream.AsSpan(done, bytes.Length)), "bytes were changed");
                int consumed = 0;
                while (unit < units.Length && bytes.Length - consumed >= units[unit]) consumed += units[unit++];
                done += consumed;
                received.Keep(bytes[consumed..], piece % 2 == 0 && unit < units.Length ? units[unit] : 0, hasLoggedIn: true);
                Assert.Equal(at - done, received.Length);
            }

            Assert.Equal(stream.Length, done);
            Assert.Same(shared, RoomOf(ref received, shared));
        }, iter: histories);

    [Fact]
    public void Memory_grows_with_what_has_come_not_with_what_was_announced()
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 30; i++)
        {
            var received = new ReceivedBytes();
            received.Keep([0x30, 0xFF, 0xFF, 0xFF, 0x7F], 268_435_455, hasLoggedIn: false);
            received.Clear();
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Theory]
    [InlineData(32 * 1024)]
    [InlineData(1_000_000)]
    public void Long_units_take_nothing_of_the_collectors_memory_and_keep_nothing(int pieceBytes)
    {
        const int unitBytes = 4 * 1024 * 1024;
        byte[] piece = new byte[pieceBytes];
        byte[] shared = new byte[32 * 1024];
        Unit();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 5; i++) Unit();
        // The smaller ones that it outgrew were of the pool, which may have kept none.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 5 * 130_000);

        void Unit()
        {
            var received = new ReceivedBytes();
            byte mark = 0;
            while (received.Length < unitBytes)
            {
                piece[0] = ++mark;
                received.Append(piece.AsSpan(0, Math.Min(pieceBytes, unitBytes - received.Length)), unitBytes, hasLoggedIn: true);
            }

            for (int at = 0, number = 1; at < unitBytes; at += pieceBytes, number++) Assert.Equal((byte)number, received.Kept[at]);
            // Of the next little has come.
            Span<byte> rest = received.Kept[^10..];
            rest[0] = 0xAB;
            received.Keep(rest, unitBytes, hasLoggedIn: true);
            Assert.Equal((10, 0xAB), (received.Length, received.Kept[0]));
            Assert.True(received.Room(shared, out _) == shared, "a long unit's memory is kept for little");
            received.Clear();
            Assert.True(received.Kept.IsEmpty);
        }
    }

    private static byte[]? RoomOf(ref ReceivedBytes received, byte[] shared)
    {
        received.Room(shared, out int kept)[kept] = 0xEE;
        return shared[0] == 0xEE ? shared : null;
    }
}
