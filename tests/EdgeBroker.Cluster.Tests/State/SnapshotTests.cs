using EdgeBroker.Cluster.State;
using EdgeBroker.Testing;

namespace EdgeBroker.Cluster.Tests.State;

/// <summary>The state on disk: whole, the same bytes everywhere, and refused with words when damaged.</summary>
public sealed class SnapshotTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_state_reads_back_and_goes_on_the_same()
    {
        ClusterStateMachine machine = Some();
        ClusterStateMachine back = SnapshotCodec.Read(SnapshotCodec.Write(machine));
        Assert.Equal(SnapshotCodec.Write(machine), SnapshotCodec.Write(back));
        Assert.Equal(machine.View.Index, back.View.Index);
        ClaimSessions next = Commands.Claim(3, 1, 2, 1, Commands.Session("client-3"), Commands.Session("new"));
        Assert.Equal(machine.Apply(next), back.Apply(next));
        Assert.Equal(SnapshotCodec.Write(machine), SnapshotCodec.Write(back));
    }

    [Fact]
    public void Every_changed_byte_and_every_missing_one_is_noticed()
    {
        byte[] bytes = SnapshotCodec.Write(Some());
        for (int at = 0; at < bytes.Length; at++)
        {
            bytes[at] ^= 0x10;
            Assert.Throws<DamagedSnapshotException>(() => SnapshotCodec.Read(bytes));
            bytes[at] ^= 0x10;
            Assert.Throws<DamagedSnapshotException>(() => SnapshotCodec.Read(bytes.AsSpan(0, at)));
        }

        Assert.Throws<DamagedSnapshotException>(() => SnapshotCodec.Read([.. bytes, 0]));
        SnapshotCodec.Read(bytes);
    }

    [Fact]
    public void A_prepared_snapshot_counts_only_once_it_is_published()
    {
        var folder = new SnapshotFolder(_directory.Path);
        byte[] bytes = SnapshotCodec.Write(Some());
        long index = SnapshotCodec.Read(bytes).View.Index;
        SnapshotFile prepared = folder.Prepare(index, 3, bytes);
        Assert.Null(folder.Newest());
        SnapshotFile published = folder.Publish(prepared);
        Assert.Equal(published, new SnapshotFolder(_directory.Path).Newest());
        Assert.Equal((index, 3L), (published.Index, published.Term));
        Assert.Equal(bytes, SnapshotCodec.Write(SnapshotFolder.Load(published)));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(published.Path));
    }

    [Fact]
    public void What_a_crash_left_unfinished_is_gone_after_the_next_start_and_old_ones_when_told()
    {
        var folder = new SnapshotFolder(_directory.Path);
        byte[] bytes = SnapshotCodec.Write(Some());
        SnapshotFile old = folder.Write(5, 1, bytes);
        folder.Prepare(90, 2, bytes);
        _directory.Write("91-2.snapshot.new", "half of one");
        folder = new SnapshotFolder(_directory.Path);
        Assert.Equal([Path.GetFileName(old.Path)], Directory.GetFiles(_directory.Path).Select(Path.GetFileName));
        folder.Write(8, 1, bytes);
        folder.RemoveBefore(8);
        Assert.Equal(["8-1.snapshot"], Directory.GetFiles(_directory.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_damaged_file_is_refused_with_the_cure()
    {
        var folder = new SnapshotFolder(_directory.Path);
        byte[] bytes = SnapshotCodec.Write(Some());
        bytes[^1] ^= 1;
        SnapshotFile file = folder.Write(5, 1, bytes);
        DamagedSnapshotException damaged = Assert.Throws<DamagedSnapshotException>(() => SnapshotFolder.Load(file));
        Assert.Contains(file.Path, damaged.Message, StringComparison.Ordinal);
        Assert.Contains("Remove it from the cluster on another member", damaged.Message, StringComparison.Ordinal);
        bytes[^1] ^= 1;
        Assert.Throws<DamagedSnapshotException>(() => SnapshotFolder.Load(folder.Write(6, 1, bytes)));
    }

    private static ClusterStateMachine Some()
    {
        var machine = new ClusterStateMachine();
        machine.Apply(Commands.Up(1));
        machine.Apply(Commands.Up(2, highestGrant: 500));
        machine.Apply(Commands.Up(3));
        machine.Apply(Commands.Up(4));
        machine.Apply(new NodeLeft(4));
        machine.Apply(new NodeDown(2, 1));
        machine.Apply(Commands.Claim(1, 1, 2, 1, [.. Enumerable.Range(0, 10).Select(i => Commands.Session($"client-{i}", 0, i, i % 2 == 0))]));
        machine.Apply(new TakeLease("bridge/cloud", 1, 1, 0));
        machine.Apply(new RaiseLevel(1));
        return machine;
    }
}
