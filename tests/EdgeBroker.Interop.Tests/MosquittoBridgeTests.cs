using System.Globalization;
using EdgeBroker.Interop.Tests.Clients;
using EdgeBroker.Testing;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Interop.Tests;

/// <summary>A mosquitto in the field that bridges to this broker, configured as its users do: with the defaults.</summary>
public sealed class MosquittoBridgeTests(BrokerFixture broker) : IClassFixture<BrokerFixture>, IDisposable
{
    private readonly string _run = Guid.NewGuid().ToString("N")[..8];
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;

    private readonly LoopbackPort _port = new();

    public void Dispose()
    {
        _port.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData("mqttv311", Versions.V311)]
    [InlineData("mqttv50", Versions.V5)]
    public async Task A_bridge_carries_messages_both_ways_and_tells_its_state(string bridgeVersion, string version)
    {
        using var watcher = new MqttNetClient();
        await watcher.ConnectAsync(new ForeignConnect(broker.Port, version, "watcher"));
        await watcher.SubscribeAsync($"$SYS/broker/connection/{ClientId(bridgeVersion)}/state", 1);
        using var here = new MqttNetClient();
        await here.ConnectAsync(new ForeignConnect(broker.Port, version, "here"));
        await here.SubscribeAsync("out/+", 1);
        using ChildProcess mosquitto = await BridgeAsync(bridgeVersion);
        Assert.Equal("1", (await watcher.MessageAsync()).Text);

        using var field = new MqttNetClient();
        await field.ConnectAsync(new ForeignConnect(_port, version, "field"));
        await field.SubscribeAsync("in/+", 2);
        for (int i = 0; i < 20; i++)
        {
            string text = i.ToString(CultureInfo.InvariantCulture);
            await field.PublishAsync(new ForeignMessage("out/a", text, 1));
            await here.PublishAsync(new ForeignMessage("in/a", text, 2));
        }

        for (int i = 0; i < 20; i++)
        {
            ForeignMessage up = await here.MessageAsync(), down = await field.MessageAsync();
            Assert.Equal(("out/a", $"{i}", 1), (up.Topic, up.Text, up.QoS));
            Assert.Equal(("in/a", $"{i}", 2), (down.Topic, down.Text, down.QoS));
        }

        // It said goodbye in its will.
        mosquitto.Kill();
        Assert.Equal("0", (await watcher.MessageAsync()).Text);
    }

    /// <summary>Starts a mosquitto and returns when its bridge has subscribed here.</summary>
    private async Task<ChildProcess> BridgeAsync(string bridgeVersion)
    {
        string file = Path.Combine(_directory, "mosquitto.conf");
        await File.WriteAllTextAsync(file, $"""
            listener {_port} 127.0.0.1
            allow_anonymous true
            user {Environment.UserName}
            log_dest stderr
            log_type all
            connection up
            address 127.0.0.1:{broker.Port}
            bridge_protocol_version {bridgeVersion}
            remote_clientid {ClientId(bridgeVersion)}
            restart_timeout 1
            topic out/# out 1
            topic in/# in 2

            """);
        ChildProcess mosquitto = ChildProcess.Program(Installed.MosquittoBroker(), "-c", file);
        try
        {
            await mosquitto.LineAsync(line => line.Contains("Received SUBACK", StringComparison.Ordinal));
            return mosquitto;
        }
        catch
        {
            mosquitto.Dispose();
            throw;
        }
    }

    private string ClientId(string bridgeVersion) => $"{_run}-{bridgeVersion}";
}
