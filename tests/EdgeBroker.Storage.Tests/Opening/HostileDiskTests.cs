using System.Runtime.InteropServices;
using EdgeBroker.Storage.Opening;

namespace EdgeBroker.Storage.Tests.Opening;

/// <summary>Disks that are full, read-only or somebody else's: each is told apart, with its cure.</summary>
public sealed partial class HostileDiskTests : IDisposable
{
    private const int NewMountNamespace = 0x20000;
    private const int ReadOnlyMount = 1;
    private const ulong PrivateRecursiveMount = 0x40000 | 0x4000;
    private const int Nobody = 65534;

    private readonly StoreFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [RootFact]
    public void A_full_disk_is_named_at_creation()
    {
        StoreException failure = OnDiskOf(size: "16k", () => _folder.Open().Dispose());
        Assert.Equal(StoreProblem.DiskFull, failure.Problem);
        Assert.Contains("free space", failure.Message, StringComparison.Ordinal);
        Assert.Contains(_folder.Database, failure.Message, StringComparison.Ordinal);
    }

    [RootFact]
    public void A_full_disk_is_named_when_a_damaged_store_is_rescued_and_the_next_start_goes_on()
    {
        // Room for the damaged one, not for another: the rescue fails, and what is set aside waits for the technician.
        StoreOpening? opening = null;
        StoreException failure = OnDiskOf(size: "2m", () =>
        {
            _folder.Fill(messages: 900);
            _folder.ForgetOrderlyEnd();
            _folder.OverwritePages(_folder.PageOf(400, 200), 1);
            Remount("400k");
            StoreException full = Assert.Throws<StoreException>(() => _folder.Open());
            Assert.Single(_folder.SetAside);
            Assert.False(File.Exists(_folder.Database));
            Remount("2m");
            using (StoreFile rescued = _folder.Open()) opening = rescued.Opening;
            throw full;
        });
        Assert.Equal(StoreProblem.DiskFull, failure.Problem);
        Assert.Equal(StoreOpeningKind.Quarantined, opening!.Kind);
        Assert.InRange(opening.Salvaged.Single(t => t.Name == "message").Rows, 850, 899);
    }

    [RootFact]
    public void A_disk_mounted_for_reading_only_is_named()
    {
        StoreException failure = OnDiskOf(size: "4m", () =>
        {
            _folder.Fill(messages: 10);
            Mounted(Mount("none", _folder.Path, null, 32 | ReadOnlyMount, null));
            _folder.Open().Dispose();
        });
        Assert.Equal(StoreProblem.ReadOnly, failure.Problem);
        Assert.Contains("remount", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute)]
    [InlineData(UnixFileMode.None)]
    public void A_directory_of_somebody_else_is_named(UnixFileMode mode)
    {
        Directory.CreateDirectory(_folder.Path);
        File.SetUnixFileMode(Path.GetDirectoryName(_folder.Path)!, (UnixFileMode)0x1ED);
        File.SetUnixFileMode(_folder.Path, mode);
        StoreException? failure = null;
        // Only this thread becomes nobody; for who is nobody special already, nothing changes.
        InThread(() =>
        {
            SetFileSystemUser(Nobody);
            failure = Assert.Throws<StoreException>(() => _folder.Open());
        });
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0x1C0);
        Assert.Equal(StoreProblem.NoPermission, failure!.Problem);
        Assert.Contains("the broker's user", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_where_the_directory_should_be_is_named()
    {
        File.WriteAllText(_folder.Path, "");
        Assert.Contains(_folder.Path, Assert.Throws<StoreException>(() => _folder.Open()).Message, StringComparison.Ordinal);
    }

    /// <summary>Runs on a disk of its own that only the running thread sees; returns how it failed.</summary>
    private StoreException OnDiskOf(string size, Action action)
    {
        Directory.CreateDirectory(_folder.Path);
        StoreException? failure = null;
        InThread(() =>
        {
            Mounted(Unshare(NewMountNamespace));
            Mounted(Mount("none", "/", null, PrivateRecursiveMount, null));
            Mounted(Mount("tmpfs", _folder.Path, "tmpfs", 0, $"size={size}"));
            failure = Assert.Throws<StoreException>(action);
        });
        return failure!;
    }

    private void Remount(string size) => Mounted(Mount("none", _folder.Path, null, 32, $"size={size}"));

    private static void Mounted(int result) => Assert.True(result == 0, $"errno {Marshal.GetLastPInvokeError()}");

    private static void InThread(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null) throw new InvalidOperationException("It failed in its thread.", failure);
    }

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string target, string? type, ulong flags, string? data);

    [LibraryImport("libc", EntryPoint = "setfsuid", SetLastError = true)]
    private static partial int SetFileSystemUser(int user);
}
