using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using EdgeBroker.Testing;

namespace EdgeBroker.Hostile.Tests;

/// <summary>A process that may open no more files: every listener rests and says so, and nobody takes that for something else.</summary>
public sealed class DescriptorTests
{
    private const int Most = 200;

    private static readonly string[] Others = ["mqtts", "ws", "wss", "http", "https"];

    [Fact]
    public async Task All_listeners_rest_and_say_so_while_there_are_no_descriptors()
    {
        await using Siege siege = await Siege.BeginAsync(
            tables: string.Concat(Others.Select(protocol => Siege.Listener(protocol))) + Siege.Listener("coap", "allow_anonymous = true"),
            listener: "max_connections = 1000",
            prepare: Siege.MakeCertificates,
            command: ["prlimit", string.Create(CultureInfo.InvariantCulture, $"--nofile={Most}:{Most}")]);
        await siege.SaidAsync($"the process may open {Most} files, and the listeners' connections alone may be 51000");
        for (int i = 0; i < Most; i++)
        {
            await siege.Attack().TrySendAsync(Packets.V5.Connect(string.Create(CultureInfo.InvariantCulture, $"attacker-{i}")));
        }

        string plain = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{siege.Port}");
        await RestsAsync(siege, plain);
        foreach (string protocol in Others)
        {
            (int port, _) = await siege.PlaceAsync(protocol);
            await siege.Attack(port).TrySendAsync([0]);
            await RestsAsync(siege, protocol == "mqtts" ? string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}") : protocol + " on 127.0.0.1:0");
        }

        // Rewritten, and the same: nobody may say that it changed because it could not be opened.
        string certificate = Path.Combine(siege.Folder, "certs", "server.crt");
        await File.WriteAllTextAsync(certificate, await File.ReadAllTextAsync(certificate));
        await ExpectServedAsync((await siege.PlaceAsync("coap")).Port);
        using (await siege.SilenceAsync())
        {
            (TimeSpan before, long begin) = (ProcessorTime(siege.Process.Id), Stopwatch.GetTimestamp());
            for (int i = 0; i < 3; i++) await RestsAsync(siege, plain);
            TimeSpan used = ProcessorTime(siege.Process.Id) - before, passed = Stopwatch.GetElapsedTime(begin);
            // A listener that did not rest would take a whole processor.
            Assert.True(used < passed / 4, $"{used} of {passed} were spent");
        }

        Assert.DoesNotContain("certificate files are not used", siege.Process.Said, StringComparison.Ordinal);
        await siege.EndAsync();
    }

    private static Task<string> RestsAsync(Siege siege, string listener) =>
        siege.Process.TakeLineAsync(line => line.Contains($" {listener} cannot accept connections", StringComparison.Ordinal));

    // A ping, and its reset (RFC 7252, 4.3).
    private static async Task ExpectServedAsync(int port)
    {
        using var client = new UdpClient("127.0.0.1", port);
        await client.SendAsync(new byte[] { 0x40, 0, 0x12, 0x34 });
        UdpReceiveResult answer = await Deadline.Within(client.ReceiveAsync(), "the answer over UDP");
        Assert.Equal([0x70, 0, 0x12, 0x34], answer.Buffer);
    }

    private static TimeSpan ProcessorTime(int processId)
    {
        using Process process = Process.GetProcessById(processId);
        return process.TotalProcessorTime;
    }
}
