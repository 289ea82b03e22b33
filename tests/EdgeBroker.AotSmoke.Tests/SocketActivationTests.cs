using System.Diagnostics;
using EdgeBroker.Testing;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.AotSmoke.Tests;

/// <summary>The published executable with sockets that a service manager opened, by systemd's own stand-in for one.</summary>
public sealed class SocketActivationTests
{
    [Fact]
    public async Task Listeners_take_the_sockets_at_their_addresses_and_find_them_again_after_a_reload()
    {
        using var directory = new TemporaryDirectory();
        using LoopbackPort mqtt = new(), web = new(), spare = new();
        string socket = Path.Combine(directory.Path, "m.sock"), http = Path.Combine(directory.Path, "h.sock");
        string first = $"""
            [node]
            data_dir = "data"
            [[listener]]
            protocol = "mqtt"
            address = "127.0.0.1:{mqtt}"

            """;
        string all = first + $"""
            [[listener]]
            protocol = "ws"
            address = "127.0.0.1:{web}"
            [[listener]]
            protocol = "mqtt"
            address = "unix:{socket}"
            [[listener]]
            protocol = "http"
            address = "unix:{http}"
            """;
        directory.Write("broker.toml", all);
        string executable = PublishedBinary.Of(PublishedBinary.HostRid).Path;
        using var broker = new ChildProcess(new ProcessStartInfo(
            "systemd-socket-activate",
            [
                "-l", $"127.0.0.1:{mqtt}", "-l", $"127.0.0.1:{web}", "-l", socket, "-l", http, "-l", $"127.0.0.1:{spare}",
                "--fdname=mqtt:web:local:http:spare", executable, "-c", "broker.toml",
            ])
        {
            WorkingDirectory = directory.Path,
        });
        // It starts the broker for the first client, which waits that long.
        await Deadline.Until(() => File.Exists(http), "the sockets");
        await PublishAsync("-h", "127.0.0.1", "-p", mqtt.ToString());
        await broker.LineAsync(line => line.Contains($"has opened spare (127.0.0.1:{spare}), where no listener is", StringComparison.Ordinal));
        await ServesAllAsync();

        directory.Write("broker.toml", first);
        await RunAsync(executable, "reload", "-c", Path.Combine(directory.Path, "broker.toml"));
        await PublishAsync("-h", "127.0.0.1", "-p", mqtt.ToString());
        Assert.True(File.Exists(socket));
        // What a broker has that closed a socket somebody else keeps open, and goes on watching it: no rest. The one who connects waits for who comes back.
        using ChildProcess waiting = ChildProcess.Program("mosquitto_pub", "--unix", socket, "-t", "t", "-m", "m", "-q", "1");
        directory.Write("broker.toml", all);
        await RunAsync(executable, "reload", "-c", Path.Combine(directory.Path, "broker.toml"));
        Assert.True(await waiting.ExitAsync() == 0, waiting.Said);
        await ServesAllAsync();

        broker.Terminate();
        Assert.Equal(0, await broker.ExitAsync());
        Assert.True(File.Exists(socket));
        Assert.True(File.Exists(http));

        async Task ServesAllAsync()
        {
            await PublishAsync("-h", "127.0.0.1", "-p", mqtt.ToString());
            await PublishAsync("--unix", socket);
            await RunAsync("curl", "-sSf", "--unix-socket", http, "http://localhost/health");
            // No WebSocket handshake, and so refused by who serves there.
            await RunAsync("curl", "-sS", "-o", "/dev/null", $"http://127.0.0.1:{web}/mqtt");
        }
    }

    private static Task PublishAsync(params string[] to) => RunAsync("mosquitto_pub", [.. to, "-t", "t", "-m", "m", "-q", "1"]);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using ChildProcess process = ChildProcess.Program(program, arguments);
        Assert.True(await process.ExitAsync() == 0, process.Said);
    }
}
