using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Tests;

/// <summary>/live and /ready of http and https listeners.</summary>
public sealed partial class HealthTests : IAsyncDisposable
{
    private readonly WebHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData(ListenerProtocol.Http)]
    [InlineData(ListenerProtocol.Https)]
    public async Task Ready_tells_of_every_part_and_is_503_while_one_is_failing(ListenerProtocol protocol)
    {
        int port = await _host.StartAsync(protocol);
        using HttpClient client = Client(protocol, port);
        Assert.Equal((200, "{\"status\":\"good\"}"), await GetAsync(client, "/live"));

        _host.Findings.Add(new HealthFinding("store", HealthState.Good, "it takes all"));
        _host.Findings.Add(new HealthFinding("certificate", HealthState.Warning, "a \"b\" ends"));
        Assert.Equal(
            (200, """{"status":"warning","parts":[{"part":"store","status":"good","detail":"it takes all"},"""
                + """{"part":"certificate","status":"warning","detail":"a \u0022b\u0022 ends","since_at":"SINCE"}]}"""),
            await GetAsync(client, "/ready"));

        _host.Findings[0] = new HealthFinding("store", HealthState.Failing, "it is full");
        (int status, string body) = await GetAsync(client, "/ready");
        Assert.Equal(503, status);
        Assert.Contains("\"status\":\"failing\",\"detail\":\"it is full\"", body, StringComparison.Ordinal);
        // The process is well, whatever its disk does: who restarts what is not alive must leave it alone.
        Assert.Equal(200, (await GetAsync(client, "/live")).Status);
    }

    [Fact]
    public async Task Only_what_there_is_is_served_and_only_to_be_read()
    {
        int port = await _host.StartAsync(ListenerProtocol.Http);
        using HttpClient client = Client(ListenerProtocol.Http, port);
        (int status, string problem) = await GetAsync(client, "/mqtt");
        Assert.Equal(404, status);
        Assert.Contains("\"type\":\"urn:edgebroker:problem:no-such-endpoint\"", problem, StringComparison.Ordinal);
        using HttpResponseMessage posted = await client.PostAsync("/ready", new StringContent("x"));
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "HEAD, GET"), (posted.StatusCode, string.Join(", ", posted.Content.Headers.Allow)));
        using var request = new HttpRequestMessage(HttpMethod.Head, "/ready");
        using HttpResponseMessage head = await client.SendAsync(request);
        Assert.Equal((HttpStatusCode.OK, ""), (head.StatusCode, await head.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task A_client_that_speaks_TLS_to_http_is_told_in_the_log()
    {
        int port = await _host.StartAsync(ListenerProtocol.Http);
        using HttpClient client = Client(ListenerProtocol.Https, port);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("/live"));
        await _host.Log.WithAsync("the client speaks TLS to a plain listener");
    }

    private HttpClient Client(ListenerProtocol protocol, int port)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(_host.Authority.Certificate);
        var handler = new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy } };
        return new HttpClient(handler) { BaseAddress = new Uri($"{(protocol == ListenerProtocol.Https ? "https" : "http")}://localhost:{port}") };
    }

    [GeneratedRegex("\"20[^\"]*Z\"")]
    private static partial Regex Time();

    private static async Task<(int Status, string Body)> GetAsync(HttpClient client, string path)
    {
        using HttpResponseMessage response = await client.GetAsync(path);
        string body = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, Time().Replace(body, "\"SINCE\""));
    }
}
