using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace EdgeBroker.Cli.Access;

/// <summary>Replaces a file as a whole: whoever reads it, and whatever happens meanwhile, there is the old one or the new one. Owner and mode stay.</summary>
[SupportedOSPlatform("linux")]
internal static partial class AtomicFile
{
    private const UnixFileMode ModeOfNew = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
    private const int CurrentDirectory = -100;
    private const uint OwnerWanted = 0x18;
    private const int UserOffset = 20;
    private const int GroupOffset = 24;

    /// <summary>Changes a file.</summary>
    /// <param name="path">The file; where it is a link, what it leads to is replaced.</param>
    /// <param name="change">Gets the bytes of the file, empty when there is none, and returns the new ones; null: all stays.</param>
    /// <returns>Whether it was replaced.</returns>
    /// <exception cref="IOException">It could not be; nothing has changed.</exception>
    public static bool Change(string path, Func<byte[], byte[]?> change)
    {
        var file = new FileInfo(path);
        // A file that is not there yet cannot be asked where it leads.
        string target = file.LinkTarget is null ? path : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
        string next = target + ".new";
        // Its existence also keeps a second one from changing the old file meanwhile, and losing this change.
        FileStream stream;
        try
        {
            stream = new FileStream(
                next,
                new FileStreamOptions
                {
                    Mode = FileMode.CreateNew,
                    Access = FileAccess.Write,
                    UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                });
        }
        catch (IOException) when (File.Exists(next))
        {
            throw new IOException($"{next} is there: another change is going on, or was cut short; if none is, remove it");
        }

        bool isReplaced = false;
        try
        {
            using (stream)
            {
                bool exists = File.Exists(target);
                byte[]? bytes = change(exists ? File.ReadAllBytes(target) : []);
                if (bytes is null) return false;
                stream.Write(bytes);
                stream.Flush(flushToDisk: true);
                if (exists) KeepOwner(target, next);
                File.SetUnixFileMode(stream.SafeFileHandle, exists ? File.GetUnixFileMode(target) : ModeOfNew);
            }

            File.Move(next, target, overwrite: true);
            isReplaced = true;
            return true;
        }
        finally
        {
            if (!isReplaced) File.Delete(next);
        }
    }

    private static unsafe void KeepOwner(string from, string to)
    {
        Span<byte> status = stackalloc byte[256];
        fixed (byte* buffer = status)
        {
            if (StatX(CurrentDirectory, from, 0, OwnerWanted, buffer) != 0)
            {
                throw new IOException($"the owner of {from} cannot be read: error {Marshal.GetLastPInvokeError()}");
            }
        }

        uint user = BinaryPrimitives.ReadUInt32LittleEndian(status[UserOffset..]);
        uint group = BinaryPrimitives.ReadUInt32LittleEndian(status[GroupOffset..]);
        if (ChangeOwner(to, user, group) != 0) throw new IOException($"{to} cannot be given the owner of {from}: error {Marshal.GetLastPInvokeError()}");
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatX(int directory, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);
}
