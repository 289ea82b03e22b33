using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace EdgeBroker.Transport.UnixSockets;

/// <summary>Who may connect to a Unix socket: the mode and the owner of its file. To connect takes the permission to write.</summary>
/// <param name="Mode">The file's permissions.</param>
/// <param name="User">Its owner, by name; null: the broker's user.</param>
/// <param name="Group">Its group, by name; null: the broker's group.</param>
public sealed partial record SocketFileAccess(UnixFileMode Mode, string? User = null, string? Group = null)
{
    /// <summary>The broker's user and group.</summary>
    public static readonly SocketFileAccess Default = new(
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);

    private const uint Unchanged = uint.MaxValue;

    /// <summary>The mode as <c>chmod</c> takes it: <c>0660</c>.</summary>
    public string ModeText => "0" + Convert.ToString((int)Mode, 8).PadLeft(3, '0');

    /// <summary>Gives a socket file these permissions. Before anybody can connect.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The system does not let us, or there is no such user or group.</exception>
    public void Apply(string path)
    {
        uint user = User is null ? Unchanged : LocalAccounts.UserId(User) ?? throw new IOException($"there is no user \"{User}\" to own {path}");
        uint group = Group is null ? Unchanged : LocalAccounts.GroupId(Group) ?? throw new IOException($"there is no group \"{Group}\" to own {path}");
        byte[] terminated = [.. Encoding.UTF8.GetBytes(path), 0];
        if (ChangeMode(terminated, (uint)Mode) != 0)
        {
            throw new IOException($"{path} cannot be given the mode {ModeText}: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        if ((user == Unchanged && group == Unchanged) || ChangeOwner(terminated, user, group) == 0) return;
        throw new IOException(string.Create(
            CultureInfo.InvariantCulture,
            $"{path} cannot be given to {User}:{Group}: {Marshal.GetLastPInvokeErrorMessage()}; "
                + $"the broker may give it to groups it is in, and to users only as root"));
    }

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true)]
    private static partial int ChangeMode(byte[] path, uint mode);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true)]
    private static partial int ChangeOwner(byte[] path, uint user, uint group);
}
