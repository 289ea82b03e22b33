using System.Globalization;
using System.Net;
using System.Net.Sockets;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Interop.Tests;

/// <summary>The executable is killed, and started again: what a device observes over DTLS goes on with its next handshake, without registering anew.</summary>
public sealed class CoapRestartTests : IDisposable
{
    private const string Observe = "43 01 00 01 010203 60 52 7073 01 61";
    private const string ObserveQueue = "43 01 00 02 0a0b0c 60 52 7073 01 62 4a 6d6f64653d7175657565";
    private static readonly byte[] Key = "0123456789abcdef"u8.ToArray();

    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;
    private readonly List<ChildProcess> _brokers = [];
    private readonly int _coapPort = FreePort();

    public void Dispose()
    {
        _brokers.ForEach(broker => broker.Dispose());
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Observations_of_a_device_with_a_key_outlive_the_brokers_process()
    {
        await WriteFilesAsync();
        int mqtt = await StartAsync();
        string server = "127.0.0.1:" + _coapPort.ToString(CultureInfo.InvariantCulture);
        using (DtlsClient device = await DtlsClient.ConnectAsync(server, "sensor", Key))
        {
            Assert.Equal(CoapCode.Content, (await device.AskAsync(Observe)).Code);
            Assert.Equal(CoapCode.Content, (await device.AskAsync(ObserveQueue)).Code);
            await PublishAsync(mqtt, "b", "before");
            // On its way, and not acknowledged when the broker ends.
            Assert.Equal("before", (await device.ReceiveAsync()).Text);
            _brokers[^1].Kill();
            await _brokers[^1].ExitAsync();
        }

        mqtt = await StartAsync();
        await PublishAsync(mqtt, "a", "new", "-r");
        for (int i = 1; i <= 3; i++) await PublishAsync(mqtt, "b", "after " + i.ToString(CultureInfo.InvariantCulture));
        using DtlsClient again = await DtlsClient.ConnectAsync(server, "sensor", Key);
        var told = new List<string>();
        while (told.Count < 5)
        {
            Answer one = await again.ReceiveAsync();
            if (one.Type != CoapType.Confirmable) continue;
            again.Send(string.Create(CultureInfo.InvariantCulture, $"60 00 {one.MessageId >> 8:x2} {one.MessageId & 0xFF:x2}"));
            string line = Convert.ToHexString(one.Token) + " " + one.Text;
            if (!told.Contains(line)) told.Add(line);
        }

        Assert.Contains("010203 new", told);
        IEnumerable<string> queued = told.Where(line => line.StartsWith("0A", StringComparison.Ordinal));
        Assert.Equal(["0A0B0C before", "0A0B0C after 1", "0A0B0C after 2", "0A0B0C after 3"], queued);
    }

    private static int FreePort()
    {
        using var socket = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.Client.LocalEndPoint!).Port;
    }

    private static async Task PublishAsync(int port, string topic, string payload, params string[] more)
    {
        using ChildProcess publisher = ChildProcess.Program(
            Installed.Mosquitto("mosquitto_pub"), ["-p", port.ToString(CultureInfo.InvariantCulture), "-t", topic, "-q", "1", "-m", payload, .. more]);
        Assert.Equal(0, await publisher.ExitAsync(ChildProcess.Timeout));
    }

    private async Task WriteFilesAsync()
    {
        string keys = Path.Combine(_directory, "sensors.psk");
        await File.WriteAllTextAsync(keys, "sensor:" + Convert.ToHexString(Key) + "\n");
        File.SetUnixFileMode(keys, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await File.WriteAllTextAsync(Path.Combine(_directory, "broker.toml"), $"""
            [node]
            data_dir = "data"
            [[listener]]
            protocol = "mqtt"
            address = "127.0.0.1:0"
            allow_anonymous = true
            [[listener]]
            protocol = "coaps"
            address = "127.0.0.1:{_coapPort}"
            [listener.psk]
            file = "sensors.psk"
            [log]
            format = "text"
            """);
    }

    private async Task<int> StartAsync()
    {
        ChildProcess broker = PublishedBinary.Of(PublishedBinary.HostRid).Start(_directory, "-c", "broker.toml");
        _brokers.Add(broker);
        int port = await PublishedBroker.PortOfAsync(broker);
        await broker.LineAsync(line => line.Contains("listening for CoAP over DTLS on ", StringComparison.Ordinal));
        return port;
    }
}
