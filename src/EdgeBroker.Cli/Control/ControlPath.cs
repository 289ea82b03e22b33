using System.Text;

namespace EdgeBroker.Cli.Control;

/// <summary>Where the control socket of a broker is: <c>edgebroker.sock</c> in its data directory.</summary>
public static class ControlPath
{
    /// <summary>The file's name.</summary>
    public const string Name = "edgebroker.sock";

    // sun_path holds 108 bytes, the final zero included.
    private const int LongestBytes = 107;

    /// <summary>The socket's path.</summary>
    /// <param name="dataDirectory">The data directory.</param>
    public static string In(string dataDirectory) => Path.Combine(dataDirectory, Name);

    /// <summary>Why a socket cannot have this path; null: it can.</summary>
    public static string? Problem(string path)
    {
        int bytes = Encoding.UTF8.GetByteCount(path);
        return bytes <= LongestBytes
            ? null
            : $"the path {path} has {bytes} bytes, and the system allows a socket {LongestBytes}; give the broker a data directory with a shorter path ([node] "
                + "data_dir), or send it SIGHUP instead";
    }
}
