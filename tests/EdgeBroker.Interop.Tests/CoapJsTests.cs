using System.Globalization;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Interop.Tests;

/// <summary>node-coap, the client of Node.js, against the executable.</summary>
public sealed class CoapJsTests : IAsyncLifetime, IDisposable
{
    private readonly List<ChildProcess> _processes = [];
    private CoapBroker? _broker;

    public async Task InitializeAsync() => _broker = await CoapBroker.StartAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _processes.ForEach(process => process.Dispose());
        _broker?.Dispose();
    }

    [Fact]
    public async Task A_value_is_put_read_posted_and_deleted()
    {
        Assert.Equal("2.01 - 0", await AskAsync("put", "ps/plant/t", "--payload", "71.5", "--format", "application/json"));
        Assert.Equal("2.05 application/json 4 71.5", await AskAsync("get", "ps/plant/t"));
        Assert.Equal("2.04 - 0", await AskAsync("put", "ps/plant/t", "--payload", "72", "--format", "application/json"));
        Assert.Equal("2.04 - 0", await AskAsync("post", "ps/plant/t", "--payload", "pressed"));
        Assert.Equal("2.05 application/json 2 72", await AskAsync("get", "ps/plant/t", "--accept", "application/json"));
        Assert.StartsWith("4.06 ", await AskAsync("get", "ps/plant/t", "--accept", "text/plain"), StringComparison.Ordinal);
        Assert.Equal("2.02 - 0", await AskAsync("delete", "ps/plant/t"));
        Assert.StartsWith("4.04 ", await AskAsync("get", "ps/plant/t", "--non"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_large_value_comes_in_blocks()
    {
        string large = new('y', 60_000);
        using ChildProcess publisher = ChildProcess.Program(
            Installed.Mosquitto("mosquitto_pub"), "-p", _broker!.Port.ToString(CultureInfo.InvariantCulture), "-t", "large", "-r", "-m", large);
        Assert.Equal(0, await publisher.ExitAsync(ChildProcess.Timeout));
        Assert.Equal("2.05 - 60000 ...", await AskAsync("get", "ps/large"));
    }

    [Fact]
    public async Task A_large_value_goes_in_blocks()
    {
        Assert.StartsWith("2.01 ", await AskAsync("put", "ps/sent", "--size", "20000"), StringComparison.Ordinal);
        Assert.Equal("2.05 - 20000 ...", await AskAsync("get", "ps/sent"));
    }

    [Fact]
    public async Task An_observer_is_told_what_MQTT_publishes()
    {
        ChildProcess observer = Start("get", "ps/plant/t?mode=queue", "--observe");
        for (int i = 0; !observer.Said.Contains("value", StringComparison.Ordinal); i++)
        {
            Assert.True(i < 100, observer.Said);
            using ChildProcess publisher = ChildProcess.Program(
                Installed.Mosquitto("mosquitto_pub"), "-p", _broker!.Port.ToString(CultureInfo.InvariantCulture), "-t", "plant/t", "-q", "1",
                "-m", "value " + i.ToString(CultureInfo.InvariantCulture));
            Assert.Equal(0, await publisher.ExitAsync(ChildProcess.Timeout));
        }
    }

    private ChildProcess Start(string method, string path, params string[] arguments)
    {
        var client = new ChildProcess(Installed.CoapJs([method, _broker!.Root + path, .. arguments]));
        _processes.Add(client);
        return client;
    }

    private async Task<string> AskAsync(string method, string path, params string[] arguments)
    {
        ChildProcess client = Start(method, path, arguments);
        Assert.Equal(0, await client.ExitAsync(ChildProcess.Timeout));
        return client.Said.Trim();
    }
}
