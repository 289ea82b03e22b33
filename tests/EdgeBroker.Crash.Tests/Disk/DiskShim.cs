using System.IO.MemoryMappedFiles;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Crash.Tests.Disk;

/// <summary>
/// The shim (Shim/diskshim.c) for one directory: what a program must be started with, the page that steers it and the log it writes. Outlives the program and
/// serves the next.
/// </summary>
public sealed class DiskShim : IDisposable
{
    // The layout of struct control.
    private const int LogEnd = 0;
    private const int OperationCount = 8;
    private const int KillAtOperation = 16;
    private const int KilledFlag = 24;
    private const int FaultMask = 28;
    private const int FaultErrno = 32;
    private const int SyncDelay = 36;
    private const int FaultCount = 40;
    private const int DelayCount = 48;
    private const int ClockOffset = 56;
    private const int PageBytes = 4096;

    private static readonly Lazy<Task<string>> Library = new(CompileAsync);

    private readonly string _logPath;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _page;

    private DiskShim(string library, string directory, string scratch, bool records)
    {
        _logPath = Path.Combine(scratch, "disk.log");
        string control = Path.Combine(scratch, "disk.control");
        File.WriteAllBytes(control, new byte[PageBytes]);
        _file = MemoryMappedFile.CreateFromFile(control, FileMode.Open, null, PageBytes);
        _page = _file.CreateViewAccessor(0, PageBytes);
        var environment = new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = library,
            ["DISKSHIM_DIRECTORY"] = directory,
            ["DISKSHIM_CONTROL"] = control,
        };
        if (records) environment["DISKSHIM_LOG"] = _logPath;
        Environment = environment;
    }

    /// <summary>The variables that put the shim into a program.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>How many bytes of the log are complete: where the disk stands now.</summary>
    public long Position => _page.ReadInt64(LogEnd);

    /// <summary>Changing operations and syncs begun so far.</summary>
    public long Operations => _page.ReadInt64(OperationCount);

    /// <summary>Operations that failed on purpose.</summary>
    public long Faults => _page.ReadInt64(FaultCount);

    /// <summary>Syncs that were delayed on purpose; counted when the delay begins.</summary>
    public long Delays => _page.ReadInt64(DelayCount);

    /// <summary>Whether <see cref="KillAt"/> has happened.</summary>
    public bool Killed => _page.ReadInt32(KilledFlag) != 0;

    /// <summary>Makes the shim for a directory that exists, building the library first where it is not built yet.</summary>
    /// <param name="directory">Whose files are followed.</param>
    /// <param name="scratch">A directory outside it, for the log and the page.</param>
    /// <param name="records">Whether to write the log.</param>
    public static async Task<DiskShim> CreateAsync(string directory, string scratch, bool records) => new(await Library.Value, directory, scratch, records);

    /// <summary>SIGKILL before the operation of this number (of <see cref="Operations"/>); 0: none. Forgets a kill that happened.</summary>
    public void KillAt(long operation)
    {
        _page.Write(KilledFlag, 0);
        _page.Write(KillAtOperation, operation);
    }

    /// <summary>From now on these kinds of operation fail with this error.</summary>
    public void Fail(DiskFault kinds, Errno error)
    {
        _page.Write(FaultErrno, (int)error);
        _page.Write(FaultMask, (int)kinds);
    }

    /// <summary>Nothing fails any more, nothing is slow; a sync that is being delayed goes on.</summary>
    public void Heal()
    {
        _page.Write(FaultMask, 0);
        _page.Write(SyncDelay, 0);
    }

    /// <summary>From now on every sync takes this much longer.</summary>
    public void SlowSync(TimeSpan delay) => _page.Write(SyncDelay, (int)delay.TotalMilliseconds);

    /// <summary>From now on the program's wall clock is so far ahead of the system's, or behind it.</summary>
    public void SetClock(TimeSpan ahead) => _page.Write(ClockOffset, (long)ahead.TotalSeconds);

    /// <summary>The log as it is. Complete only when the program has ended.</summary>
    public DiskLog ReadLog() => DiskLog.Read(_logPath, Position);

    /// <inheritdoc/>
    public void Dispose()
    {
        _page.Dispose();
        _file.Dispose();
    }

    private static async Task<string> CompileAsync()
    {
        string source = Path.Combine(RepositoryRoot.Find(), "tests", "EdgeBroker.Crash.Tests", "Shim", "diskshim.c");
        string library = Path.Combine(AppContext.BaseDirectory, "diskshim.so");
        using ChildProcess gcc =
            ChildProcess.Program("gcc", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl", "-lpthread");
        return await gcc.ExitAsync() == 0 ? library : throw new InvalidOperationException(gcc.Said);
    }
}
