using System.Globalization;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Interop.Tests;

/// <summary>libcoap's clients against the executable over DTLS, by OpenSSL and by GnuTLS.</summary>
public sealed class LibcoapDtlsTests : IAsyncLifetime, IDisposable
{
    private const string Key = "0123456789abcdef";
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;
    private readonly List<ChildProcess> _processes = [];
    private PublishedBroker? _broker;
    private string _root = "";

    // Where MQTT clients need no login: beside a listener with keys none is so by default.
    private string MqttSocket => Path.Combine(_directory, "mqtt.sock");

    public async Task InitializeAsync()
    {
        string keys = Path.Combine(_directory, "sensors.psk");
        await File.WriteAllTextAsync(keys, "sensor:" + Convert.ToHexString("0123456789abcdef"u8) + ":anna:press7\n");
        File.SetUnixFileMode(keys, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _broker = await PublishedBroker.StartAsync($"""
            [[listener]]
            protocol = "mqtt"
            address = "unix:{MqttSocket}"
            allow_anonymous = true
            [[listener]]
            protocol = "coaps"
            address = "127.0.0.1:0"
            [listener.psk]
            file = "{keys}"
            [listener.coap]
            # 64 KB in blocks of 16 bytes, as fast as both sides can.
            requests_per_second = 1000
            """);
        const string says = "listening for CoAP over DTLS on ";
        string line = await _broker.Process.LineAsync(line => line.Contains(says, StringComparison.Ordinal));
        _root = "coaps://" + line[(line.IndexOf(says, StringComparison.Ordinal) + says.Length)..].Trim() + "/";
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _processes.ForEach(process => process.Dispose());
        _broker?.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData("openssl")]
    [InlineData("gnutls")]
    public async Task A_value_is_put_read_posted_and_deleted(string library)
    {
        Assert.Equal("", await AskAsync(library, Key, "ps/plant/t", "-m", "put", "-t", "text/plain", "-e", "71.5"));
        Assert.Equal("71.5", await AskAsync(library, Key, "ps/plant/t"));
        Assert.Equal("", await AskAsync(library, Key, "ps/plant/t", "-m", "post", "-e", "pressed"));
        Assert.Equal("", await AskAsync(library, Key, "ps/plant/t", "-m", "delete"));
        Assert.Contains("4.04", await AskAsync(library, Key, "ps/plant/t"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("openssl", 16)]
    [InlineData("openssl", 1024)]
    [InlineData("gnutls", 256)]
    public async Task A_value_of_64_KB_goes_in_blocks_both_ways(string library, int block)
    {
        string sent = Path.Combine(_directory, "sent");
        string got = Path.Combine(_directory, "got");
        await File.WriteAllBytesAsync(sent, [.. Enumerable.Range(0, 65_536).Select(i => (byte)(i * 7))]);
        string size = block.ToString(CultureInfo.InvariantCulture);
        Assert.Equal("", await AskAsync(library, Key, "ps/large", "-m", "put", "-b", size, "-f", sent));
        await AskAsync(library, Key, "ps/large", "-b", size, "-o", got);
        Assert.Equal(await File.ReadAllBytesAsync(sent), await File.ReadAllBytesAsync(got));
    }

    [Theory]
    [InlineData("openssl")]
    [InlineData("gnutls")]
    public async Task An_observer_is_told_what_MQTT_publishes(string library)
    {
        ChildProcess observer = Start(library, Key, "ps/plant/t", "-s", "60");
        for (int i = 0; !observer.Said.Contains("value", StringComparison.Ordinal); i++)
        {
            Assert.True(i < 100, observer.Said);
            using ChildProcess publisher = ChildProcess.Program(
                Installed.Mosquitto("mosquitto_pub"), "--unix", MqttSocket, "-t", "plant/t", "-q", "1",
                "-m", "value " + i.ToString(CultureInfo.InvariantCulture) + "\n");
            Assert.Equal(0, await publisher.ExitAsync(ChildProcess.Timeout));
        }
    }

    [Theory]
    [InlineData("openssl")]
    [InlineData("gnutls")]
    public async Task A_wrong_key_is_refused_and_the_log_says_whose(string library)
    {
        ChildProcess client = Start(library, "fedcba9876543210", "ps/plant/t");
        await _broker!.Process.LineAsync(
            line => line.Contains("failed: the client's key is another than ours (identity \"sensor\")", StringComparison.Ordinal));
        await client.ExitAsync(ChildProcess.Timeout);
        Assert.DoesNotContain("4.04", client.Said, StringComparison.Ordinal);
    }

    private ChildProcess Start(string library, string key, string path, params string[] arguments)
    {
        ChildProcess client = ChildProcess.Program(Installed.CoapClient(library), ["-u", "sensor", "-k", key, .. arguments, "-B", "100", _root + path]);
        _processes.Add(client);
        return client;
    }

    private async Task<string> AskAsync(string library, string key, string path, params string[] arguments)
    {
        ChildProcess client = Start(library, key, path, arguments);
        Assert.Equal(0, await client.ExitAsync(ChildProcess.Timeout));
        return client.Said.Trim();
    }
}
