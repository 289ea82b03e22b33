using System.Globalization;

namespace EdgeBroker.Testing.Published;

/// <summary>
/// The published executable with a listener of each protocol: mqtt, mqtts (asking for certificates of clients), ws and wss, on free ports of the loopback. Its
/// certificates are made by its own <c>cert</c> verb: <c>certs/ca.crt</c>, <c>server</c> for localhost and 127.0.0.1, and one client, <c>press7</c>.
/// </summary>
public sealed class SecureBroker : IDisposable
{
    private readonly string _directory;
    private readonly Dictionary<string, int> _ports;

    private SecureBroker(string directory, ChildProcess process, Dictionary<string, int> ports)
    {
        _directory = directory;
        Process = process;
        _ports = ports;
    }

    /// <summary>The running executable.</summary>
    public ChildProcess Process { get; }

    /// <summary>Where it listens for mqtt, mqtts, ws or wss.</summary>
    public int Port(string protocol) => _ports[protocol];

    /// <summary>A file of its folder of certificates.</summary>
    public string Certificate(string file) => Path.Combine(_directory, "certs", file);

    /// <summary>Makes the certificates, starts the broker and waits until it listens everywhere.</summary>
    /// <param name="rid">The runtime identifier of the executable.</param>
    /// <param name="tls">Further keys of the mqtts listener's [listener.tls].</param>
    public static async Task<SecureBroker> StartAsync(string rid, string tls = "client_auth = \"request\"")
    {
        string directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;
        ChildProcess? process = null;
        try
        {
            PublishedBinary binary = PublishedBinary.Of(rid);
            foreach (string arguments in new[] { "cert ca", "cert server localhost 127.0.0.1", "cert client press7" })
            {
                using ChildProcess made = binary.Start(directory, arguments.Split(' '));
                if (await made.ExitAsync() != 0) throw new InvalidOperationException(made.Said);
            }

            // Emulated, a handshake takes its time.
            const string pair = "cert = \"certs/server.crt\"\nkey = \"certs/server.key\"\nhandshake_timeout = \"2m\"\n";
            await File.WriteAllTextAsync(Path.Combine(directory, "broker.toml"),
                "[node]\ndata_dir = \"data\"\n[log]\nformat = \"text\"\n[limits]\nconnect_timeout = \"2m\"\n"
                    + Listener("mqtt") + Listener("mqtts") + "[listener.tls]\nclient_ca = \"certs/ca.crt\"\n" + pair + tls + "\n"
                + Listener("ws") + Listener("wss") + "[listener.tls]\n" + pair);
            process = binary.Start(directory, "-c", "broker.toml");
            var ports = new Dictionary<string, int>();
            foreach ((string protocol, string shown) in new[] { ("mqtt", "MQTT"), ("mqtts", "mqtts"), ("ws", "ws"), ("wss", "wss") })
            {
                string begin = $"listening for {shown} on 127.0.0.1:";
                string line = await process.LineAsync(l => l.Contains(begin, StringComparison.Ordinal));
                ports[protocol] = int.Parse(line.AsSpan(line.IndexOf(begin, StringComparison.Ordinal) + begin.Length), CultureInfo.InvariantCulture);
            }

            return new SecureBroker(directory, process, ports);
        }
        catch
        {
            process?.Dispose();
            Directory.Delete(directory, recursive: true);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static string Listener(string protocol) => $"[[listener]]\nprotocol = \"{protocol}\"\naddress = \"127.0.0.1:0\"\nallow_anonymous = true\n";
}
