using System.Globalization;
using System.Net;
using System.Net.Sockets;
using EdgeBroker.Coap.Client;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Tests.Codec;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Interop.Tests;

/// <summary>
/// The executable is killed, and started again: what a device observes over DTLS goes on with its next handshake, without registering
/// anew; over UDP a queue does, by its client id.
/// </summary>
public sealed class CoapRestartTests : IDisposable
{
    private const string Observe = "43 01 00 01 010203 60 52 7073 01 61";
    private const string ObserveQueue = "43 01 00 02 0a0b0c 60 52 7073 01 62 4a 6d6f64653d7175657565";
    private const string QueueByName = " 60 52 7073 01 62 4a 6d6f64653d7175657565 08 633d707265737337";
    private static readonly byte[] Key = "0123456789abcdef"u8.ToArray();

    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;
    private readonly List<ChildProcess> _brokers = [];
    private readonly int _coapPort = FreePort();
    private readonly int _udpPort = FreePort();

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
            await KillAsync();
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

    [Fact]
    public async Task A_queue_by_client_id_outlives_the_brokers_process_until_it_is_deregistered()
    {
        await WriteFilesAsync();
        int mqtt = await StartAsync();
        using (ClientLink device = ClientLink.OverUdp(new IPEndPoint(IPAddress.Loopback, _udpPort)))
        {
            device.Send(Hex.Bytes("43 01 00 01 010203" + QueueByName));
            Assert.Equal("", Next(device).Text);
            await PublishAsync(mqtt, "b", "before");
            // On its way, and not acknowledged when the broker ends.
            Assert.Equal("before", Next(device, acknowledges: false).Text);
            await KillAsync();
        }

        mqtt = await StartAsync();
        for (int i = 1; i <= 3; i++) await PublishAsync(mqtt, "b", "after " + i.ToString(CultureInfo.InvariantCulture));
        using ClientLink again = ClientLink.OverUdp(new IPEndPoint(IPAddress.Loopback, _udpPort));
        again.Send(Hex.Bytes("43 01 00 02 0a0b0c" + QueueByName));
        var told = new List<string>();
        while (told.Count < 4)
        {
            Answer one = Next(again);
            Assert.Equal("0A0B0C", Convert.ToHexString(one.Token));
            if (one.Text.Length > 0 && !told.Contains(one.Text)) told.Add(one.Text);
        }

        Assert.Equal(["before", "after 1", "after 2", "after 3"], told);
        again.Send(Hex.Bytes("43 01 00 03 0a0b0c" + QueueByName.Replace(" 60 ", " 61 01 ", StringComparison.Ordinal)));
        Assert.Equal(CoapCode.NotFound, Next(again).Code);
        // What is stored behind the end of the observation is on disk, so that is, too.
        await PublishAsync(mqtt, "fence", "1", "-r");
        await KillAsync();
        mqtt = await StartAsync();
        await PublishAsync(mqtt, "b", "for nobody");
        again.Send(Hex.Bytes("43 01 00 04 0d0e0f" + QueueByName));
        Assert.Equal("", Next(again).Text);
        await PublishAsync(mqtt, "b", "new");
        Assert.Equal("new", Next(again).Text);
    }

    private static Answer Next(ClientLink device, bool acknowledges = true)
    {
        long start = Environment.TickCount64;
        while (Environment.TickCount64 - start < 30_000)
        {
            if (device.Receive(TimeSpan.FromSeconds(1)) is not { } datagram) continue;
            (_, NaiveMessage? message) = NaiveMessage.Read(datagram);
            var answer = new Answer(message!, datagram.Length);
            if (acknowledges && answer.Type == CoapType.Confirmable)
            {
                device.Send(Hex.Bytes(string.Create(CultureInfo.InvariantCulture, $"60 00 {answer.MessageId >> 8:x2} {answer.MessageId & 0xFF:x2}")));
            }

            // An acknowledgement alone, as of a server that needs longer.
            if (answer.Code != CoapCode.Empty) return answer;
        }

        throw new InvalidOperationException("nothing came within 30 s");
    }

    private async Task KillAsync()
    {
        _brokers[^1].Kill();
        await _brokers[^1].ExitAsync();
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
            protocol = "coap"
            address = "127.0.0.1:{_udpPort}"
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
        await broker.LineAsync(line => line.Contains("listening for CoAP on ", StringComparison.Ordinal));
        await broker.LineAsync(line => line.Contains("listening for CoAP over DTLS on ", StringComparison.Ordinal));
        return port;
    }
}
