using System.Globalization;
using System.Runtime.InteropServices;
using EdgeBroker.Storage.Opening;
using Microsoft.Win32.SafeHandles;

namespace EdgeBroker.Storage.Tests.Opening;

public sealed partial class StoreLockTests : IDisposable
{
    private readonly StoreFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_process_that_is_being_started_does_not_keep_the_lock_that_was_given_back()
    {
        _folder.Fill(messages: 1);
        using SafeFileHandle inherited = TakeAndDuplicate();
        using StoreLock again = StoreLock.Take(_folder.Path);
    }

    /// <summary>What a process has between its fork and the program it runs.</summary>
    private SafeFileHandle TakeAndDuplicate()
    {
        using StoreLock taken = StoreLock.Take(_folder.Path);
        string link = Directory.GetFiles("/proc/self/fd").First(link => new FileInfo(link).LinkTarget == _folder.Lock);
        int copy = Duplicate(int.Parse(Path.GetFileName(link), CultureInfo.InvariantCulture));
        Assert.True(copy >= 0);
        return new SafeFileHandle(copy, ownsHandle: true);
    }

    [LibraryImport("libc", EntryPoint = "dup", SetLastError = true)]
    private static partial int Duplicate(int file);
}
