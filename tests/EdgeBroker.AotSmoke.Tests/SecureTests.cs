using System.Globalization;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.AotSmoke.Tests;

/// <summary>The published executable over TLS and WebSocket: what the trimmer or the AOT compiler took away would be missed here.</summary>
public sealed class SecureTests
{
    public static TheoryData<string> Rids => new(PublishedBinary.Rids);

    [Theory]
    [MemberData(nameof(Rids))]
    public async Task Certificates_TLS_WebSocket_and_goodbye(string rid)
    {
        using SecureBroker broker = await SecureBroker.StartAsync(rid, "client_auth = \"require\"");
        string[] common =
        [
            "-h", "localhost", "-p", broker.Port("mqtts").ToString(CultureInfo.InvariantCulture), "--cafile", broker.Certificate("ca.crt"), "--cert",
            broker.Certificate("press7.crt"), "--key", broker.Certificate("press7.key"), "-t", "smoke",
        ];
        using ChildProcess subscriber = ChildProcess.Program("stdbuf", ["-oL", "mosquitto_sub", .. common, "-q", "1", "-C", "1", "-d"]);
        await subscriber.LineAsync(line => line.StartsWith("Subscribed", StringComparison.Ordinal));
        using ChildProcess publisher = PublishedBinary.Of(rid).Start("/", ["pub", .. common, "-q", "1", "-m", "it works"]);
        Assert.True(await publisher.ExitAsync() == 0, publisher.Said);
        Assert.True(await subscriber.ExitAsync() == 0, subscriber.Said);
        Assert.Contains("it works", subscriber.Said, StringComparison.Ordinal);

        using ChildProcess stranger = ChildProcess.Program("mosquitto_pub", [.. common[..6], "-t", "smoke", "-m", "x"]);
        Assert.NotEqual(0, await stranger.ExitAsync());
        await broker.Process.LineAsync(line => line.Contains("presents no certificate", StringComparison.Ordinal));

        foreach (string protocol in new[] { "ws", "wss" })
        {
            string url = $"{(protocol == "ws" ? "http" : "https")}://localhost:{broker.Port(protocol)}/mqtt";
            // Line by line, so that what has come is said while the connection stays open.
            string[] upgrade =
            [
                "-sS", "-i", "--max-time", "60", "--cacert", broker.Certificate("ca.crt"), "--http1.1", "-H", "Connection: Upgrade", "-H", "Upgrade: websocket",
                "-H", "Sec-WebSocket-Version: 13", "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "-H", "Sec-WebSocket-Protocol: mqtt",
            ];
            using ChildProcess socket = ChildProcess.Program("stdbuf", ["-oL", "curl", .. upgrade, url]);
            await socket.LineAsync(line => line.StartsWith("HTTP/1.1 101", StringComparison.Ordinal));
            await socket.LineAsync(line => line.StartsWith("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", StringComparison.Ordinal));
        }

        broker.Process.Terminate();
        Assert.Equal(0, await broker.Process.ExitAsync());
    }
}
