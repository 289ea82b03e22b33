using System.Net.Sockets;

namespace EdgeBroker.Cli.Control;

/// <summary>Asks a running broker of this machine.</summary>
public static class ControlClient
{
    /// <summary>Sends a request and waits for the answer.</summary>
    /// <param name="dataDirectory">The broker's data directory.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="timeout">How long the broker may take.</param>
    /// <param name="problem">Why there is no answer, and what to do about it.</param>
    /// <returns>The answer; null: there is none.</returns>
    public static ControlAnswer? Ask(string dataDirectory, ControlRequest request, TimeSpan timeout, out string problem)
    {
        string path = ControlPath.In(dataDirectory);
        if (ControlPath.Problem(path) is { } tooLong)
        {
            problem = tooLong;
            return null;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            if (!Connect(socket, path, out problem)) return null;
            socket.ReceiveTimeout = socket.SendTimeout = (int)timeout.TotalMilliseconds;
            ReadOnlySpan<byte> bytes = request.ToBytes();
            while (!bytes.IsEmpty) bytes = bytes[socket.Send(bytes)..];
            problem = NoAnswer(path);
            return Read(socket);
        }
        catch (SocketException exception)
        {
            problem = exception.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock
                ? $"the broker at {path} did not answer within {timeout.TotalSeconds:0} s; its log says what it is at"
                : NoAnswer(path);
            return null;
        }
    }

    private static string NoAnswer(string path) =>
        $"the broker at {path} refuses to answer, or has ended; its log says why. Ask as root or as the user it runs under";

    private static bool Connect(Socket socket, string path, out string problem)
    {
        problem = "";
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException exception)
        {
            problem = exception.SocketErrorCode switch
            {
                SocketError.AccessDenied => $"no access to {path}: ask as root (sudo) or as the user the broker runs under",
                SocketError.ConnectionRefused => $"no broker answers at {path}: the one that made this socket has ended; start it",
                _ when !File.Exists(path) => $"no broker answers: there is no {path}. Is it running, with this data directory? --data-dir names another",
                _ => $"no broker answers at {path}: {exception.Message}",
            };
            return false;
        }
    }

    private static ControlAnswer? Read(Socket socket)
    {
        using var answer = new MemoryStream();
        byte[] part = new byte[16 * 1024];
        int count;
        while ((count = socket.Receive(part)) > 0 && answer.Length <= ControlAnswer.MaxBytes) answer.Write(part, 0, count);
        return ControlAnswer.FromBytes(answer.GetBuffer().AsSpan(0, (int)answer.Length));
    }
}
