using System.Net.Sockets;
using System.Text;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Testing;

namespace EdgeBroker.Http.Tests.Access;

/// <summary>Requests that no honest client sends: each is refused or ended, alone, and nobody else notices.</summary>
public sealed class HostileRequestTests : IAsyncDisposable
{
    private readonly ApiHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData("GET /live HTTP/1.1\r\n\r\n", "400")]
    [InlineData("GET /live HTTP/9.9\r\nHost: localhost\r\n\r\n", "505")]
    [InlineData("GET  /live HTTP/1.1\r\nHost: localhost\r\n\r\n", "400")]
    [InlineData("rubbish\r\n\r\n", "400")]
    [InlineData("GET /topics/a%00b HTTP/1.1\r\nHost: localhost\r\n\r\n", "400")]
    [InlineData("GET /api/v1/sessions/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", "400")]
    [InlineData("POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "401")]
    [InlineData("POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", "400")]
    [InlineData("POST /publish HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n", "401")]
    [InlineData("OPTIONS /publish HTTP/1.1\r\nHost: localhost\r\n\r\n", "405")]
    [InlineData("TRACE /api/v1/me HTTP/1.1\r\nHost: localhost\r\n\r\n", "405")]
    [InlineData("CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n", "400")]
    public async Task What_is_no_good_request_is_answered_so(string request, string status)
    {
        await _host.StartAsync();
        string answer = await SendAsync(request);
        Assert.StartsWith("HTTP/1.1 " + status, answer, StringComparison.Ordinal);
        await StillServesAsync();
    }

    [Fact]
    public async Task Headers_beyond_the_limit_are_not_buffered()
    {
        await _host.StartAsync();
        string answer = await SendAsync("GET /live HTTP/1.1\r\nHost: localhost\r\nX: " + new string('x', 20_000) + "\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 431", answer, StringComparison.Ordinal);
        answer = await SendAsync("GET /topics/" + new string('x', 20_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 414", answer, StringComparison.Ordinal);
        await StillServesAsync();
    }

    [Fact]
    public async Task A_body_that_grows_beyond_the_limit_is_cut_off()
    {
        await _host.StartAsync(anonymous: true, limits: TestBrokerOptions.Quiet with { MaxPacketSizeBytes = 10_000 });
        string chunk = "1000\r\n" + new string('x', 0x1000) + "\r\n";
        string answer = await SendAsync(
            "POST /topics/plant/t HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + string.Concat(Enumerable.Repeat(chunk, 20)));
        Assert.StartsWith("HTTP/1.1 413", answer, StringComparison.Ordinal);
        Assert.Equal(0, _host.Web.Broker.Limits.Ledger.Bytes(Core.Limits.MemoryKind.LocalQueues));
        await StillServesAsync();
    }

    [Fact]
    public async Task Mutated_publishes_do_no_harm()
    {
        await _host.StartAsync(anonymous: true);
        byte[] good = Encoding.UTF8.GetBytes("""{"topic":"plant/t","payload_json":{"a":1},"qos":1,"user_properties":[["k","v"]],"expiry_seconds":60}""");
        var random = new Random(11);
        HttpClient client = _host.Client(null);
        for (int i = 0; i < 500; i++)
        {
            byte[] bytes = [.. good];
            for (int j = random.Next(1, 4); j > 0; j--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            using var content = new ByteArrayContent(bytes[..random.Next(1, bytes.Length + 1)]);
            content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
            using HttpResponseMessage response = await client.PostAsync("/publish", content);
            Assert.True((int)response.StatusCode is 200 or 400 or 403, $"{response.StatusCode}: {Encoding.UTF8.GetString(bytes)}");
        }

        Assert.Equal(0, _host.Web.Broker.Faults);
        await StillServesAsync();
    }

    private async Task<string> SendAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", _host.Port);
        NetworkStream stream = client.GetStream();
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        }
        catch (IOException)
        {
            // Cut off while it was sent; what was answered before can still be read.
        }

        byte[] answer = new byte[64];
        int length = await Deadline.Within(stream.ReadAtLeastAsync(answer, 12, throwOnEndOfStream: false).AsTask(), "an answer");
        return Encoding.ASCII.GetString(answer, 0, length);
    }

    private async Task StillServesAsync()
    {
        using HttpResponseMessage response = await _host.Client(null).GetAsync("/live");
        Assert.True(response.IsSuccessStatusCode);
        Assert.Equal(0, _host.Web.Broker.Faults);
    }
}
