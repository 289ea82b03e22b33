using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace EdgeBroker.Storage.Opening;

/// <summary>
/// The file <c>edgebroker.lock</c>: locked by the broker that uses the directory, and its text says how the last one ended. Each change is on disk before
/// anything else happens.
/// </summary>
internal sealed class StoreLock : IDisposable
{
    /// <summary>The file's name.</summary>
    public const string Name = "edgebroker.lock";

    private const string Running = "running";
    private const string Stopped = "stopped";
    private const string Damaged = "damaged";
    private const string SettingAside = "setting-aside ";
    private const int LongestText = 1024;

    private readonly SafeFileHandle _file;

    private StoreLock(SafeFileHandle file, string text)
    {
        _file = file;
        string state = text.Split('\n')[0];
        EndedCleanly = state == Stopped;
        WasDamaged = state == Damaged;
        HasLived = state.Length > 0;
        if (state.StartsWith(SettingAside, StringComparison.Ordinal)) UnfinishedQuarantine = state[SettingAside.Length..];
    }

    /// <summary>The last broker closed its database. False also when nothing is known.</summary>
    public bool EndedCleanly { get; }

    /// <summary>The last broker came upon damage while it ran.</summary>
    public bool WasDamaged { get; }

    /// <summary>A broker has had a database here.</summary>
    public bool HasLived { get; }

    /// <summary>The name under which the last broker was setting a database aside when it ended; not to be trusted. Null when it was not.</summary>
    public string? UnfinishedQuarantine { get; }

    /// <summary>Locks the directory.</summary>
    /// <exception cref="StoreException">Another broker has it (InUse).</exception>
    /// <exception cref="IOException">The file cannot be opened or locked.</exception>
    public static StoreLock Take(string directory)
    {
        SafeFileHandle file = StoreFiles.OpenForLock(Path.Combine(directory, Name));
        try
        {
            if (StoreFiles.TryLock(file)) return new StoreLock(file, Read(file));
            string[] lines = Read(file).Split('\n');
            string who = lines.Length > 1 && int.TryParse(lines[1], CultureInfo.InvariantCulture, out int process) ? $" (process {process})" : "";
            throw new StoreException(
                StoreProblem.InUse, $"another broker{who} uses {directory}: stop it, or give this one a directory of its own with [node] data_dir");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Locks the directory, so that another database can be put into the place of the one in it.</summary>
    /// <exception cref="StoreException">Another broker has it (InUse), or one was interrupted while it set a database aside (Damaged).</exception>
    /// <exception cref="IOException">The file cannot be opened or locked.</exception>
    public static StoreLock TakeForReplacement(string directory)
    {
        StoreLock taken = Take(directory);
        if (taken.UnfinishedQuarantine is null) return taken;
        taken.Dispose();
        throw new StoreException(
            StoreProblem.Damaged,
            $"a database in {directory} was being set aside when the power went: start the broker once, which goes on there, and stop it");
    }

    /// <summary>The database is in use: whoever finds this later knows that it was not closed.</summary>
    public void RecordRunning() => Write(Running);

    /// <summary>The database was closed.</summary>
    public void RecordStopped() => Write(Stopped);

    /// <summary>The database is damaged; the next start is to look at it, whatever its size.</summary>
    public void RecordDamaged() => Write(Damaged);

    /// <summary>From here on the database is on its way to another name.</summary>
    public void RecordSettingAside(string name) => Write(SettingAside + name);

    /// <summary>Unlocks the directory. The file stays: deleting it would let two brokers lock two files of one name.</summary>
    public void Dispose()
    {
        // Closing is not enough: a process that is being started at this moment has the file, too, until it runs its own program.
        if (!_file.IsClosed) StoreFiles.Unlock(_file);
        _file.Dispose();
    }

    private static string Read(SafeFileHandle file)
    {
        byte[] bytes = new byte[LongestText];
        int count = RandomAccess.Read(file, bytes, 0);
        return Encoding.UTF8.GetString(bytes, 0, count);
    }

    private void Write(string state)
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{state}\n{Environment.ProcessId}\n"));
        RandomAccess.SetLength(_file, 0);
        RandomAccess.Write(_file, text, 0);
        RandomAccess.FlushToDisk(_file);
    }
}
