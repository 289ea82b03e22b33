using System.Globalization;
using System.Text.RegularExpressions;

namespace EdgeBroker.Testing.Published;

/// <summary>The published executable, running as a broker on a free port of the loopback, with a directory of its own that goes when it goes.</summary>
public sealed partial class PublishedBroker : IDisposable
{
    private readonly string _directory;

    private PublishedBroker(string directory, ChildProcess process, int port)
    {
        _directory = directory;
        Process = process;
        Port = port;
    }

    /// <summary>Where it listens for plain MQTT.</summary>
    public int Port { get; }

    /// <summary>The running executable.</summary>
    public ChildProcess Process { get; }

    /// <summary>Starts this machine's executable and waits until it listens.</summary>
    /// <param name="settings">TOML tables besides [node], [[listener]] and [log].</param>
    public static async Task<PublishedBroker> StartAsync(string settings = "")
    {
        string directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;
        ChildProcess? process = null;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(directory, "broker.toml"), $"""
                [node]
                data_dir = "data"
                [[listener]]
                protocol = "mqtt"
                address = "127.0.0.1:0"
                [log]
                format = "text"
                {settings}
                """);
            process = PublishedBinary.Of(PublishedBinary.HostRid).Start(directory, "-c", "broker.toml");
            return new PublishedBroker(directory, process, await PortOfAsync(process));
        }
        catch
        {
            process?.Dispose();
            Directory.Delete(directory, recursive: true);
            throw;
        }
    }

    /// <summary>The log says where a listener listens once it does, with the port the system chose for 0.</summary>
    public static async Task<int> PortOfAsync(ChildProcess broker)
    {
        string line = await broker.LineAsync(line => Listening().IsMatch(line));
        return int.Parse(Listening().Match(line).Groups[1].ValueSpan, CultureInfo.InvariantCulture);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [GeneratedRegex(@"\blistening for MQTT on 127\.0\.0\.1:([1-9][0-9]*)\b")]
    private static partial Regex Listening();
}
