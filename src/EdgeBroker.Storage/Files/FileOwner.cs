using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace EdgeBroker.Storage.Files;

/// <summary>
/// Who owns a file. What root writes for a service, the service must be able to read: a file in the place of another takes that one's owner, a new one its
/// folder's.
/// </summary>
public static unsafe partial class FileOwner
{
    private const int CurrentDirectory = -100;
    private const uint OwnerWanted = 0x18;
    private const int UserOffset = 20;
    private const int GroupOffset = 24;
    private const int StatusBytes = 256;

    /// <summary>The numbers of a file's or folder's user and group; where it is a link, of what it leads to.</summary>
    /// <exception cref="IOException">They cannot be read.</exception>
    public static (uint User, uint Group) Of(string path)
    {
        byte* status = stackalloc byte[StatusBytes];
        if (StatX(CurrentDirectory, path, 0, OwnerWanted, status) != 0)
        {
            throw new IOException($"the owner of {path} cannot be read: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        var bytes = new ReadOnlySpan<byte>(status, StatusBytes);
        return (BinaryPrimitives.ReadUInt32LittleEndian(bytes[UserOffset..]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[GroupOffset..]));
    }

    /// <summary>Gives a file the owner of another file or folder, where it has another one.</summary>
    /// <exception cref="IOException">The system does not let us.</exception>
    public static void Copy(string from, string to)
    {
        (uint user, uint group) = Of(from);
        if (Of(to) == (user, group) || ChangeOwner(to, user, group) == 0) return;
        throw new IOException($"{to} cannot be given the owner of {from}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Gives a file that root has just made to the owner of its folder; whoever is not root owns what he makes.</summary>
    /// <exception cref="IOException">The system does not let us.</exception>
    public static void TakeFrom(string folder, string made)
    {
        if (Environment.IsPrivilegedProcess) Copy(folder, made);
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int directory, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);
}
