using System.Globalization;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Interop.Tests;

/// <summary>Unix sockets with identities, listeners behind a proxy, and revoked certificates, as mosquitto's tools and curl meet them.</summary>
public sealed class DoorsTests : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;
    private readonly List<ChildProcess> _processes = [];
    private ChildProcess _broker = null!;

    private string Socket => Path.Combine(_directory, "mqtt.sock");

    public async Task InitializeAsync()
    {
        foreach (string arguments in new[] { "cert ca", "cert server localhost 127.0.0.1", "cert client press7 press8", "cert revoke" })
        {
            await DoneAsync(Ours(arguments.Split(' ')));
        }

        await File.WriteAllTextAsync(Path.Combine(_directory, "broker.toml"), $"""
            [node]
            data_dir = "data"
            [log]
            format = "text"
            [[listener]]
            protocol = "mqtt"
            address = "unix:{Socket}"
            mode = "0666"
            identity = "peer"
            [[listener]]
            protocol = "ws"
            address = "127.0.0.1:0"
            proxy_protocol = true
            allow_anonymous = true
            [[listener]]
            protocol = "mqtts"
            address = "127.0.0.1:0"
            [listener.tls]
            cert = "certs/server.crt"
            key = "certs/server.key"
            client_ca = "certs/ca.crt"
            client_auth = "require"
            crl = "certs/ca.crl"
            [[acl]]
            user = "{Environment.UserName}"
            allow = ["publish", "subscribe"]
            topics = ["users/%u/#"]
            [[acl]]
            user = "press*"
            allow = ["publish"]
            topics = ["presses/%u"]
            """);
        // Below the directory of the test, which only its owner may enter otherwise.
        File.SetUnixFileMode(_directory, (UnixFileMode)Convert.ToInt32("755", 8));
        _broker = Ours("-c", "broker.toml");
        await _broker.LineAsync(line => line.Contains("listening for mqtts on ", StringComparison.Ordinal));
    }

    public Task DisposeAsync()
    {
        _processes.ForEach(process => process.Dispose());
        Directory.Delete(_directory, recursive: true);
        return Task.CompletedTask;
    }

    [Theory]
    [InlineData(Versions.V311)]
    [InlineData(Versions.V5)]
    public async Task A_client_at_the_Unix_socket_is_the_user_that_runs_it(string version)
    {
        string own = $"users/{Environment.UserName}";
        ChildProcess subscriber = Start("stdbuf", ["-oL", .. Client("mosquitto_sub", version), "-t", own + "/#", "-F", "got %t %p", "-d"]);
        await subscriber.LineAsync(line => line.StartsWith("Subscribed", StringComparison.Ordinal));
        // A name it gives itself, or somebody else's topic, does not help.
        await Start(
            "stdbuf", ["-oL", .. Client("mosquitto_pub", version), "-u", "press7", "-P", "x", "-q", "1", "-t", "presses/press7", "-m", "forged"]).ExitAsync();
        await _broker.LineAsync(line => line.Contains("to presses/press7 refused: no [[acl]] rule allows to publish there", StringComparison.Ordinal));
        await DoneAsync(Start("stdbuf", ["-oL", .. Client("mosquitto_pub", version), "-q", "1", "-t", own + "/a", "-m", "it works"]));
        await DoneAsync(Ours("pub", "--unix", Socket, "-t", own + "/b", "-m", "ours too", "-q", "1"));
        Assert.Equal($"got {own}/a it works", await subscriber.TakeLineAsync(IsGot));
        Assert.Equal($"got {own}/b ours too", await subscriber.TakeLineAsync(IsGot));
    }

    [RootFact]
    public async Task Another_user_is_another()
    {
        string[] asNobody = ["--reuid=nobody", "--clear-groups", Installed.Mosquitto("mosquitto_pub"), "--unix", Socket, "-q", "1", "-V", "5"];
        await Start("setpriv", [.. asNobody, "-t", "users/root/a", "-m", "forged", "-u", "root"]).ExitAsync();
        await _broker.LineAsync(line => line.Contains("to users/root/a refused: no [[acl]] rule allows to publish there", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Curl_s_PROXY_header_goes_before_its_request()
    {
        string url = $"http://127.0.0.1:{await PortAsync("ws")}/mqtt";
        ChildProcess proxied = Start("curl", ["-sS", "--max-time", "30", "--haproxy-protocol", url]);
        Assert.True(await proxied.ExitAsync() == 0, proxied.Said);
        Assert.Contains("MQTT is spoken over WebSocket here", proxied.Said, StringComparison.Ordinal);
        Assert.NotEqual(0, await Start("curl", ["-sS", "--max-time", "30", url]).ExitAsync());
        await _broker.LineAsync(line => line.Contains("no PROXY header comes first, but HTTP; have the proxy send one", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_revoked_certificate_is_refused_without_a_restart()
    {
        string port = await PortAsync("mqtts");
        Assert.Equal(0, await Press("press7").ExitAsync());
        Assert.Equal(0, await Press("press8").ExitAsync());
        await DoneAsync(Ours("cert", "revoke", "press7"));
        await _broker.LineAsync(line => line.Contains("new connections get the new certificate", StringComparison.Ordinal));
        Assert.NotEqual(0, await Press("press7").ExitAsync());
        await _broker.LineAsync(line => line.Contains("revoked", StringComparison.Ordinal));
        Assert.Equal(0, await Press("press8").ExitAsync());

        ChildProcess Press(string name) => Start(
            Installed.Mosquitto("mosquitto_pub"),
            [
                "-h", "localhost", "-p", port, "--cafile", Certificate("ca.crt"), "--cert", Certificate(name + ".crt"), "--key", Certificate(name + ".key"),
                "-q", "1", "-t", "presses/" + name, "-m", "x",
            ]);
    }

    private string[] Client(string program, string version) => [Installed.Mosquitto(program), "--unix", Socket, "-V", version == Versions.V5 ? "5" : "311"];

    private string Certificate(string file) => Path.Combine(_directory, "certs", file);

    private async Task<string> PortAsync(string protocol)
    {
        string begin = $"listening for {protocol} on 127.0.0.1:";
        string line = await _broker.LineAsync(l => l.Contains(begin, StringComparison.Ordinal));
        return int.Parse(line.AsSpan(line.IndexOf(begin, StringComparison.Ordinal) + begin.Length), CultureInfo.InvariantCulture)
            .ToString(CultureInfo.InvariantCulture);
    }

    private static bool IsGot(string line) => line.StartsWith("got ", StringComparison.Ordinal);

    private static async Task DoneAsync(ChildProcess process) => Assert.True(await process.ExitAsync() == 0, process.Said);

    private ChildProcess Ours(params string[] arguments) => Kept(PublishedBinary.Of(PublishedBinary.HostRid).Start(_directory, arguments));

    private ChildProcess Start(string program, string[] arguments) => Kept(ChildProcess.Program(program, arguments));

    private ChildProcess Kept(ChildProcess process)
    {
        _processes.Add(process);
        return process;
    }
}
