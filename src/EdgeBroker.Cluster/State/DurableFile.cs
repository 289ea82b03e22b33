using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EdgeBroker.Cluster.State;

/// <summary>Files that are whole and on disk before they have their name, and whose name is on disk afterwards.</summary>
internal static partial class DurableFile
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const int CloseOnExec = 0x80000;

    /// <summary>Writes a file that only its owner may read, in place of what has the name.</summary>
    /// <exception cref="IOException">It could not be written; what had the name has it still.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        string unfinished = path + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = Private;
        using (var file = new FileStream(unfinished, options))
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }

        Rename(unfinished, path);
    }

    /// <summary>Gives a file that is on disk another name, in place of what has it.</summary>
    /// <exception cref="IOException">It could not be renamed, or the name is not on disk.</exception>
    public static void Rename(string from, string to)
    {
        File.Move(from, to, overwrite: true);
        FlushDirectory(Path.GetDirectoryName(to)!);
    }

    /// <summary>Puts the names in a directory on disk.</summary>
    /// <exception cref="IOException">They could not be.</exception>
    public static void FlushDirectory(string path)
    {
        using SafeFileHandle handle = Open(path, CloseOnExec, 0);
        if (!handle.IsInvalid && Flush(handle) == 0) return;
        int error = Marshal.GetLastPInvokeError();
        throw new IOException($"flush of {path}: {new Win32Exception(error).Message}", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Flush(SafeFileHandle file);
}
