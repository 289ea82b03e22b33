using System.Runtime.InteropServices;
using System.Text;

namespace EdgeBroker.Transport.UnixSockets;

/// <summary>
/// The users and groups of this machine, as the system's own programs see them (its name service: files, directories, a service's dynamic users).
/// </summary>
public static unsafe partial class LocalAccounts
{
    private const int ErrorRange = 34;
    private const int MaxBytes = 1024 * 1024;
    private const int MostGroups = 1024;

    /// <summary>The name of a user; null: it has none.</summary>
    public static string? UserName(uint userId)
    {
        return Ask(bytes =>
        {
            UserEntry entry;
            UserEntry* found;
            fixed (byte* buffer = bytes)
            {
                int error = GetUserById(userId, &entry, buffer, bytes.Length, &found);
                return (error, found is null ? null : Marshal.PtrToStringUTF8((nint)found->Name));
            }
        });
    }

    /// <summary>A user with the groups it is in; null: there is none of this name.</summary>
    public static LocalAccount? Find(string name)
    {
        byte[] terminated = Terminated(name);
        (uint UserId, uint GroupId)? ids = Ask(bytes =>
        {
            UserEntry entry;
            UserEntry* found;
            fixed (byte* buffer = bytes, text = terminated)
            {
                int error = GetUserByName(text, &entry, buffer, bytes.Length, &found);
                return (error, found is null ? null : ((uint UserId, uint GroupId)?)(found->UserId, found->GroupId));
            }
        });
        if (ids is not { } account) return null;
        int count = MostGroups;
        uint[] groups = new uint[MostGroups];
        fixed (byte* text = terminated)
        fixed (uint* all = groups)
        {
            // More than fit are left out: the first ones are those of the group file.
            _ = GetGroups(text, account.GroupId, all, &count);
        }

        return new LocalAccount(account.UserId, account.GroupId, groups[..Math.Clamp(count, 0, MostGroups)]);
    }

    /// <summary>The number of a user; null: there is none of this name.</summary>
    public static uint? UserId(string name)
    {
        byte[] terminated = Terminated(name);
        return Ask(bytes =>
        {
            UserEntry entry;
            UserEntry* found;
            fixed (byte* buffer = bytes, text = terminated)
            {
                int error = GetUserByName(text, &entry, buffer, bytes.Length, &found);
                return (error, found is null ? null : (uint?)found->UserId);
            }
        });
    }

    /// <summary>The number of a group; null: there is none of this name.</summary>
    public static uint? GroupId(string name)
    {
        byte[] terminated = Terminated(name);
        return Ask(bytes =>
        {
            GroupEntry entry;
            GroupEntry* found;
            fixed (byte* buffer = bytes, text = terminated)
            {
                int error = GetGroupByName(text, &entry, buffer, bytes.Length, &found);
                return (error, found is null ? null : (uint?)found->GroupId);
            }
        });
    }

    private static byte[] Terminated(string name) => [.. Encoding.UTF8.GetBytes(name), 0];

    // The strings of an entry go into memory of ours, of which nobody says beforehand how much they need.
    private static T? Ask<T>(Func<byte[], (int Error, T? Found)> ask)
    {
        for (int size = 1024; size <= MaxBytes; size *= 4)
        {
            (int error, T? found) = ask(new byte[size]);
            if (error != ErrorRange) return found;
        }

        return default;
    }

    [LibraryImport("libc", EntryPoint = "getpwuid_r")]
    private static partial int GetUserById(uint userId, UserEntry* entry, byte* buffer, nint length, UserEntry** found);

    [LibraryImport("libc", EntryPoint = "getpwnam_r")]
    private static partial int GetUserByName(byte* name, UserEntry* entry, byte* buffer, nint length, UserEntry** found);

    [LibraryImport("libc", EntryPoint = "getgrouplist")]
    private static partial int GetGroups(byte* name, uint group, uint* groups, int* count);

    [LibraryImport("libc", EntryPoint = "getgrnam_r")]
    private static partial int GetGroupByName(byte* name, GroupEntry* entry, byte* buffer, nint length, GroupEntry** found);

    /// <summary><c>struct passwd</c>, as glibc and musl lay it out on 64 bits.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct UserEntry
    {
        public byte* Name;
        public byte* Password;
        public uint UserId;
        public uint GroupId;
        public byte* RealName;
        public byte* Home;
        public byte* Shell;
    }

    /// <summary><c>struct group</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct GroupEntry
    {
        public byte* Name;
        public byte* Password;
        public uint GroupId;
        public byte** Members;
    }
}
