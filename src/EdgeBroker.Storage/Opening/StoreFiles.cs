using System.ComponentModel;
using System.Runtime.InteropServices;
using EdgeBroker.Storage.Files;
using Microsoft.Win32.SafeHandles;

namespace EdgeBroker.Storage.Opening;

/// <summary>What a store needs of the file system, where .NET has no word for it: private files, names that are on disk, a lock.</summary>
internal static partial class StoreFiles
{
    /// <summary>For nobody but the owner: messages may be anyone's secrets.</summary>
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode PrivateDirectory = PrivateFile | UnixFileMode.UserExecute;

    private const int CloseOnExec = 0x80000;
    private const int ReadWriteCreate = 0x42;
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;
    private const int LockRelease = 8;
    private const int WouldBlock = 11;

    // What SQLite keeps beside a database.
    private static readonly string[] Companions = ["", "-wal", "-shm", "-journal"];

    /// <summary>Makes the directory and what is missing above it; names that are new are on disk afterwards.</summary>
    public static void CreateDirectory(string path)
    {
        if (Directory.Exists(path)) return;
        Directory.CreateDirectory(path, PrivateDirectory);
        if (Path.GetDirectoryName(path) is not { Length: > 0 } parent) return;
        FlushDirectory(parent);
    }

    /// <summary>
    /// Opens a file that only its owner may read, and makes it if there is none; made by root, it belongs to the owner of the folder, whose broker is to
    /// use it.
    /// </summary>
    public static FileStream OpenPrivate(string path)
    {
        bool isNew = !File.Exists(path);
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite,
            UnixCreateMode = PrivateFile,
            BufferSize = 0,
        });
        if (isNew) FileOwner.TakeFrom(FolderOf(path), path);
        return file;
    }

    /// <summary>Makes an empty file that only its owner may read; SQLite gives its WAL the same permissions.</summary>
    public static void CreatePrivate(string path)
    {
        using FileStream made = OpenPrivate(path);
    }

    /// <summary>Deletes a database and what SQLite keeps beside it, as far as it is there.</summary>
    public static void Delete(string database)
    {
        foreach (string companion in Companions) File.Delete(database + companion);
    }

    /// <summary>
    /// Gives a database another name, with what lies beside it and as far as it is there. The database goes first: with the WAL gone and the database still
    /// there, a start would take what is left for all there is. The wal-index is made anew whenever needed.
    /// </summary>
    /// <exception cref="IOException">It could not be renamed, or the name is taken.</exception>
    public static void MoveDatabase(string database, string target)
    {
        foreach (string part in new[] { "", "-journal", "-wal" })
        {
            if (File.Exists(database + part)) File.Move(database + part, target + part, overwrite: false);
        }

        File.Delete(database + "-shm");
        FlushDirectory(Path.GetDirectoryName(database)!);
    }

    /// <summary>Gives a finished file its name: it is whole and on disk before the name is, and the name is on disk afterwards.</summary>
    /// <exception cref="IOException">It could not be flushed or renamed, or the name is taken and not to be replaced.</exception>
    public static void Publish(string unfinished, string path, bool replace)
    {
        FlushFile(unfinished);
        if (replace && File.Exists(path))
        {
            FileOwner.Copy(path, unfinished);
            File.SetUnixFileMode(unfinished, File.GetUnixFileMode(path));
        }

        File.Move(unfinished, path, replace);
        FlushDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>Puts what a file holds on disk, whoever wrote it.</summary>
    /// <exception cref="IOException">It could not be flushed.</exception>
    public static void FlushFile(string path)
    {
        using FileStream file = OpenPrivate(path);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Puts the directory's names on disk.</summary>
    /// <exception cref="IOException">It could not be flushed.</exception>
    public static void FlushDirectory(string path)
    {
        using SafeFileHandle handle = Open(path, CloseOnExec, 0);
        if (handle.IsInvalid || Flush(handle) != 0) throw Failure($"flush of {path}");
    }

    /// <summary>Opens a private file to be locked, and makes it if there is none. .NET's own way would take a lock already.</summary>
    /// <exception cref="IOException">It could not be opened.</exception>
    public static SafeFileHandle OpenForLock(string path)
    {
        // Its text is replaced, which somebody else's file must not suffer.
        if (new FileInfo(path).LinkTarget is { } target) throw new IOException($"{path} is a link to {target}, which the broker does not follow: remove it");
        bool isNew = !File.Exists(path);
        SafeFileHandle handle = Open(path, CloseOnExec | ReadWriteCreate, (int)PrivateFile);
        if (!handle.IsInvalid)
        {
            if (isNew) FileOwner.TakeFrom(FolderOf(path), path);
            return handle;
        }

        IOException failure = Failure(path);
        handle.Dispose();
        throw failure;
    }

    /// <summary>Takes the file's lock, which ends with the handle or the process; false when someone else has it.</summary>
    /// <exception cref="IOException">The file system has no locks.</exception>
    public static bool TryLock(SafeFileHandle file)
    {
        if (Lock(file, LockExclusive | LockNonBlocking) == 0) return true;
        if (Marshal.GetLastPInvokeError() == WouldBlock) return false;
        throw Failure("lock");
    }

    /// <summary>Gives the lock back, whoever else has the file open by this handle.</summary>
    public static void Unlock(SafeFileHandle file) => _ = Lock(file, LockRelease);

    private static string FolderOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path))!;

    private static IOException Failure(string action)
    {
        int error = Marshal.GetLastPInvokeError();
        return new IOException($"{action}: {new Win32Exception(error).Message}", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Flush(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Lock(SafeFileHandle file, int operation);
}
