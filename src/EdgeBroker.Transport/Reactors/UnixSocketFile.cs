using System.Net.Sockets;

namespace EdgeBroker.Transport.Reactors;

/// <summary>The file a Unix socket listens at.</summary>
public static class UnixSocketFile
{
    /// <summary>Removes the socket file that a killed process left behind: one that nobody answers at. Any other file is not ours, and bind says so.</summary>
    public static void RemoveStale(string path)
    {
        if (!File.Exists(path) || !IsSocket(path)) return;
        try
        {
            using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
        }
    }

    // A file of any other kind can be opened, or is not ours to open. It may be empty, and refuses a connection as well.
    private static bool IsSocket(string path)
    {
        try
        {
            File.OpenHandle(path).Dispose();
            return false;
        }
        catch (IOException)
        {
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }
}
