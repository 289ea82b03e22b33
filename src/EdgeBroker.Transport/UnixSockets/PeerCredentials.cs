using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace EdgeBroker.Transport.UnixSockets;

/// <summary>Who is at the other end of a Unix socket: what the kernel noted of the process when it connected (SO_PEERCRED), which nobody can forge.</summary>
public static unsafe partial class PeerCredentials
{
    private const int SolSocket = 1;
    private const int SoPeerCredentials = 17;

    /// <summary>The effective user of the process at the other end; null: this is no connected Unix socket.</summary>
    public static uint? UserIdOf(Socket socket)
    {
        if (socket.AddressFamily != AddressFamily.Unix) return null;
        bool held = false;
        try
        {
            // Held, so that the number does not become another connection's meanwhile.
            socket.SafeHandle.DangerousAddRef(ref held);
            return UserIdOf((int)socket.SafeHandle.DangerousGetHandle());
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
        finally
        {
            if (held) socket.SafeHandle.DangerousRelease();
        }
    }

    internal static uint? UserIdOf(int fd)
    {
        Credentials credentials = default;
        int length = sizeof(Credentials);
        // A socket of another family answers too, with nobody.
        return GetSocketOption(fd, SolSocket, SoPeerCredentials, &credentials, &length) == 0
            && length == sizeof(Credentials) && credentials.UserId != uint.MaxValue
            ? credentials.UserId
            : null;
    }

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetSocketOption(int fd, int level, int name, Credentials* value, int* length);

    /// <summary><c>struct ucred</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Credentials
    {
        public int ProcessId;
        public uint UserId;
        public uint GroupId;
    }
}
