using System.Net.Sockets;
using System.Runtime.InteropServices;
using EdgeBroker.Transport.Linux;

namespace EdgeBroker.Transport.UnixSockets;

/// <summary>The file a Unix socket listens at.</summary>
public static class UnixSocketFile
{
    /// <summary>Removes the socket file that a killed process left behind: one that nobody answers at. Any other file is not ours, and bind says so.</summary>
    public static void RemoveStale(string path)
    {
        if (!File.Exists(path) || !IsSocket(path)) return;
        try
        {
            // Not blocking: one that listens and is too busy to accept lives too.
            using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
        }
        catch (SocketException)
        {
            // Somebody is there, or we may not ask: it is not ours to remove, and bind says so.
        }
    }

    // A file of any other kind can be opened, or is not ours to open; a link is not ours to follow, and a FIFO must not have us wait for its other end.
    private static bool IsSocket(string path)
    {
        int fd = LinuxSockets.Open(path, LinuxSockets.NonBlocking | LinuxSockets.CloseOnExec | LinuxSockets.NoFollow);
        if (fd < 0) return Marshal.GetLastPInvokeError() == LinuxSockets.ErrorNoSuchDevice;
        _ = LinuxSockets.Close(fd);
        return false;
    }
}
