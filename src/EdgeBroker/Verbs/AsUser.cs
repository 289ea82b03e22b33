using System.Runtime.InteropServices;
using EdgeBroker.Cli.Options;
using EdgeBroker.Transport.UnixSockets;

namespace EdgeBroker.Verbs;

/// <summary>
/// Does something with the file permissions of another user, on a thread that ends with it: root may read everything, so what root finds readable says nothing
/// of what a service can read. Only root can.
/// </summary>
internal static unsafe partial class AsUser
{
    /// <summary>Does it.</summary>
    /// <param name="user">The user; with all groups it is in.</param>
    /// <param name="work">What is done; synchronous.</param>
    /// <exception cref="CommandException">There is no such user, or the system does not let us.</exception>
    public static T Run<T>(string user, Func<T> work)
    {
        LocalAccount account = LocalAccounts.Find(user) ?? throw new CommandException($"there is no user \"{user}\" on this machine");
        if (!Environment.IsPrivilegedProcess) throw new CommandException($"only root can check what user \"{user}\" may read; use sudo");
        T result = default!;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Become(account);
                result = work();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? result : throw new CommandException($"what user \"{user}\" may read cannot be checked: {failure.Message}", failure);
    }

    // The kernel keeps these for each thread; the C library's own calls would change the whole process.
    private static void Become(LocalAccount account)
    {
        (int setGroups, int setUser, int setGroup) = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? (159, 151, 152) : (116, 122, 123);
        fixed (uint* groups = account.Groups)
        {
            if (SystemCall(setGroups, account.Groups.Length, (nint)groups) != 0)
            {
                throw new InvalidOperationException("the system does not let us: " + Marshal.GetLastPInvokeErrorMessage());
            }
        }

        _ = SystemCall(setGroup, (nint)account.GroupId, 0);
        _ = SystemCall(setUser, (nint)account.UserId, 0);
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint first, nint second);
}
