using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Http.Tests.Api;

/// <summary>MQTT where the console is, as the user who is logged in there; and the course of numbers for its charts.</summary>
public sealed class WorkbenchTests : IAsyncDisposable
{
    private readonly ApiHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_login_connects_as_its_user_and_takes_the_connection_with_it()
    {
        await _host.StartAsync();
        (string cookie, string csrf) = await LogInAsync();
        using ClientWebSocket socket = await OpenAsync(cookie, $"http://127.0.0.1:{_host.Port}");
        var packets = Packets.V5;
        await SendAsync(socket, packets.Connect("bench"));
        Assert.Equal((byte)PacketType.Connack, await FirstByteAsync(socket) >> 4);
        await Deadline.Until(() => _host.Web.Broker.FindSession("bench") is not null, "the session");
        Assert.Equal("anna", _host.Web.Broker.FindSession("bench")!.UserName);
        Assert.Contains(_host.Web.Asked, asked => asked is { ClientId: "bench", TransportIdentity: "anna" });

        Assert.Equal(204, (await ApiHost.AskAsync(
            _host.Client(null), "POST", "/api/v1/logout", null, ("Cookie", cookie), ("X-CSRF-Token", csrf), ("Sec-Fetch-Site", "same-origin"))).Status);
        await Deadline.Until(() => _host.Web.Broker.FindSession("bench") is null, "the connection's end");
        await Deadline.Until(() => _host.Web.Site.Streams.Count == 0, "the stream's end");
    }

    [Fact]
    public async Task No_page_of_another_site_and_no_token_connects()
    {
        await _host.StartAsync();
        (string cookie, _) = await LogInAsync();
        await Assert.ThrowsAsync<WebSocketException>(() => OpenAsync(cookie, "https://evil.example"));
        await Assert.ThrowsAsync<WebSocketException>(() => OpenAsync("eb=0", null));
        Assert.Equal("not-permitted", await ApiHost.ProblemAsync(_host.Client(), "GET", "/api/v1/mqtt"));
        Assert.Equal("invalid-body", await ApiHost.ProblemAsync(_host.User("anna"), "GET", "/api/v1/mqtt"));
    }

    [Fact]
    public async Task The_course_of_numbers_is_kept_for_charts()
    {
        await _host.StartAsync();
        HttpClient viewer = _host.Client(ApiHost.ViewerToken);
        var course = new Http.Api.MetricHistory(_host.Web.Broker.Meters, TimeProvider.System);
        for (int i = 0; i < 310; i++) course.Take();
        Http.Api.HistoryAnswer minutes = course.Of("5m", ["connected_count"]);
        Assert.Equal((300, 1, 0.0), (Assert.Single(minutes.Series).Value.Count, minutes.StepSeconds, minutes.Series["connected_count"][0]));
        Assert.Equal(31, course.Of("1h", null).Series["in_per_second"].Count);
        Assert.Equal(5, course.Of("24h", null).Series["in_per_second"].Count);
        (int status, JsonElement served) = await ApiHost.AskAsync(viewer, "GET", "/api/v1/metrics/history?span=1h&names=connected_count");
        Assert.Equal((200, 10), (status, served.GetProperty("step_seconds").GetInt32()));
        Assert.Equal("invalid-parameter", await ApiHost.ProblemAsync(viewer, "GET", "/api/v1/metrics/history?names=nonsense"));
        Assert.Equal("invalid-parameter", await ApiHost.ProblemAsync(viewer, "GET", "/api/v1/metrics/history?span=1y"));
    }

    private async Task<(string Cookie, string Csrf)> LogInAsync()
    {
        using var body = new StringContent("""{"user":"anna","password":"geheim"}""", Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await _host.Client(null).PostAsync("/api/v1/login", body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using JsonDocument me = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return (Assert.Single(response.Headers.GetValues("Set-Cookie")).Split(';')[0], me.RootElement.GetProperty("csrf_token").GetString()!);
    }

    private async Task<ClientWebSocket> OpenAsync(string cookie, string? origin)
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("mqtt");
        socket.Options.SetRequestHeader("Cookie", cookie);
        if (origin is not null) socket.Options.SetRequestHeader("Origin", origin);
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{_host.Port}/api/v1/mqtt"), CancellationToken.None).WaitAsync(Deadline.Timeout);
        return socket;
    }

    private static Task SendAsync(ClientWebSocket socket, byte[] packet) =>
        socket.SendAsync(packet, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);

    private static async Task<byte> FirstByteAsync(ClientWebSocket socket)
    {
        byte[] received = new byte[256];
        await socket.ReceiveAsync(received, CancellationToken.None).WaitAsync(Deadline.Timeout);
        return received[0];
    }
}
