using System.Globalization;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Interop.Tests;

/// <summary>libcoap's coap-client against the executable: what a sensor publishes, MQTT hears, and the other way round.</summary>
public sealed class LibcoapTests : IAsyncLifetime, IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;
    private readonly List<ChildProcess> _processes = [];
    private CoapBroker? _broker;

    public async Task InitializeAsync() => _broker = await CoapBroker.StartAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _processes.ForEach(process => process.Dispose());
        _broker?.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_value_is_put_read_and_deleted()
    {
        Assert.Equal("", await AskAsync("ps/plant/t", "-m", "put", "-t", "text/plain", "-e", "71.5"));
        Assert.Equal("71.5", await AskAsync("ps/plant/t"));
        Assert.Equal("", await AskAsync("ps/plant/t", "-m", "delete"));
        Assert.Contains("4.04", await AskAsync("ps/plant/t"), StringComparison.Ordinal);
        Assert.Contains("rt=\"core.ps.data\"", await AskAsync(".well-known/core"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_large_value_goes_in_blocks_both_ways()
    {
        string sent = Path.Combine(_directory, "sent");
        string got = Path.Combine(_directory, "got");
        await File.WriteAllBytesAsync(sent, [.. Enumerable.Range(0, 20_000).Select(i => (byte)(i * 7))]);
        Assert.Equal("", await AskAsync("ps/large", "-m", "put", "-f", sent));
        await AskAsync("ps/large", "-o", got);
        Assert.Equal(await File.ReadAllBytesAsync(sent), await File.ReadAllBytesAsync(got));
    }

    [Fact]
    public async Task An_observer_is_told_what_MQTT_publishes()
    {
        ChildProcess observer = Start("ps/plant/t", "-s", "60");
        // It is registered when its first message is there, whichever of many that is; the end of the line is what it is shown by.
        for (int i = 0; !observer.Said.Contains("value", StringComparison.Ordinal); i++)
        {
            Assert.True(i < 100, observer.Said);
            await PublishAsync("plant/t", "value " + i.ToString(CultureInfo.InvariantCulture) + "\n");
        }
    }

    [Fact]
    public async Task What_a_sensor_posts_MQTT_hears()
    {
        ChildProcess subscriber = ChildProcess.Program(
            Installed.Mosquitto("mosquitto_sub"), "-h", "127.0.0.1", "-p", Port, "-t", "plant/#", "-q", "1", "-C", "1", "-F", "got %t %q %p");
        _processes.Add(subscriber);
        for (int i = 0; !subscriber.HasEnded; i++)
        {
            Assert.True(i < 100, subscriber.Said);
            await AskAsync("ps/plant/event", "-m", "post", "-e", "pressed");
        }

        // What a process has said is known a moment after its end.
        await subscriber.LineAsync(line => line.Contains("got plant/event 1 pressed", StringComparison.Ordinal));
    }

    private string Port => _broker!.Port.ToString(CultureInfo.InvariantCulture);

    private async Task PublishAsync(string topic, string payload)
    {
        using ChildProcess publisher = ChildProcess.Program(
            Installed.Mosquitto("mosquitto_pub"), "-h", "127.0.0.1", "-p", Port, "-t", topic, "-q", "1", "-m", payload);
        Assert.Equal(0, await publisher.ExitAsync(ChildProcess.Timeout));
    }

    private ChildProcess Start(string path, params string[] arguments)
    {
        ChildProcess client = ChildProcess.Program(Installed.CoapClient(), [.. arguments, "-B", "100", _broker!.Root + path]);
        _processes.Add(client);
        return client;
    }

    private async Task<string> AskAsync(string path, params string[] arguments)
    {
        ChildProcess client = Start(path, arguments);
        Assert.Equal(0, await client.ExitAsync(ChildProcess.Timeout));
        return client.Said.Trim();
    }
}
