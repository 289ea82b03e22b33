using System.Net;
using System.Text;
using System.Text.Json;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Routing;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Http.Tests.Access;

/// <summary>Those who are let in to nothing take nothing from those who are, and a login that nobody uses ends.</summary>
public sealed class StrangerTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 29, 9, 31, 45, TimeSpan.Zero));
    private readonly ApiHost _host;

    public StrangerTests() => _host = new ApiHost(_time);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public void Strangers_do_not_push_out_of_the_audit_what_was_done()
    {
        var audit = new AuditLog(NullLoggerFactory.Instance, _time);
        audit.Add(Entry("anna", "10.0.0.1:1", "press7"));
        for (int second = 0; second < 60; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            for (int i = 0; i < 2_000; i++) audit.Add(Entry(null, $"10.1.{i % 20}.7:{i}", new string('x', 100_000)));
        }

        IReadOnlyList<AuditEntry> all = audit.ToList();
        Assert.Equal("press7", Assert.Single(all, one => one.Actor == "anna").Target);
        Assert.Equal(201, all.Count);
        Assert.All(all, one => Assert.True(one.Target!.Length < 300));
        Assert.Equal("anna", all[^1].Actor);
        for (int i = 0; i < 2_000; i++) audit.Add(Entry("bert", "10.0.0.2:1", "x"));
        Assert.Equal(1_000, audit.ToList().Count);
    }

    [Fact]
    public async Task Whoever_is_known_does_not_stand_in_line_with_strangers_at_the_same_address()
    {
        await _host.StartAsync();
        (string cookie, _) = await LogInAsync("anna");
        HttpClient stranger = _host.Client(null);
        string problem = "";
        for (int i = 0; i < 100 && problem != "too-many-requests"; i++) problem = await ApiHost.ProblemAsync(stranger, "GET", "/api/v1/overview");
        Assert.Equal("too-many-requests", problem);
        Assert.Equal("too-many-requests", await ApiHost.ProblemAsync(_host.Client(null), "POST", "/api/v1/login", "{}"));
        Assert.Equal(200, (await ApiHost.AskAsync(_host.Client(), "GET", "/api/v1/version")).Status);
        Assert.Equal(200, (await ApiHost.AskAsync(_host.Client(null), "GET", "/api/v1/version", null, ("Cookie", cookie))).Status);
    }

    /// <summary>Where nobody has to be known, whoever is known has a line of its own all the same, and the time stands still.</summary>
    [Fact]
    public async Task What_is_open_to_strangers_is_open_at_their_rate()
    {
        _host.More = site => site.Add(() => [new HttpEndpoint(
            HttpSurfaces.Metrics, "GET", "/numbers", EndpointAccess.OpenApart, exchange => exchange.AnswerNothingAsync())]);
        await _host.StartAsync(HttpSurfaces.Metrics);
        HttpClient stranger = _host.Client(null);
        int[] statuses = await Task.WhenAll(Enumerable.Range(0, 30).Select(async _ => (await ApiHost.AskAsync(stranger, "GET", "/numbers")).Status));
        Assert.Equal((20, 10), (statuses.Count(status => status == 204), statuses.Count(status => status == 429)));
        HttpClient collector = _host.Client(ApiHost.ViewerToken);
        for (int i = 0; i < 30; i++) Assert.Equal(204, (await ApiHost.AskAsync(collector, "GET", "/numbers")).Status);
        // What is not good is as good as nothing.
        Assert.Equal(429, (await ApiHost.AskAsync(_host.Client("wrong"), "GET", "/numbers")).Status);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(204, (await ApiHost.AskAsync(stranger, "GET", "/numbers")).Status);
    }

    [Fact]
    public async Task A_login_is_small_and_what_other_sites_ask_for_is_noted()
    {
        await _host.StartAsync();
        HttpClient nobody = _host.Client(null);
        Assert.Equal("too-large", await ApiHost.ProblemAsync(nobody, "POST", "/api/v1/login", $$"""{"user":"{{new string('u', 20_000)}}"}"""));
        Assert.Equal("login-failed", await ApiHost.ProblemAsync(
            nobody, "POST", "/api/v1/login", $$"""{"user":"{{new string('u', 10_000)}}","password":"x"}"""));
        Assert.Equal("cross-site", await ApiHost.ProblemAsync(nobody, "GET", "/api/v1/sessions", null, ("Sec-Fetch-Site", "cross-site")));
        Assert.Equal("unknown-host", await ApiHost.ProblemAsync(nobody, "GET", "/api/v1/stream?channels=events", null, ("Host", "rebound.example")));
        AuditEntry[] audit = [.. _host.Web.Site.Audit.ToList()];
        Assert.Contains(audit, one => one is { Action: "GET /api/v1/sessions", Status: 403 });
        Assert.Contains(audit, one => one is { Action: "GET /api/v1/stream", Status: 421 });
        Assert.All(audit, one => Assert.True((one.Target?.Length ?? 0) < 300));
    }

    [Fact]
    public async Task A_client_whose_body_is_not_read_is_told_that_the_connection_ends()
    {
        await _host.StartAsync();
        using var content = new StringContent(new string('u', 20_000), Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await _host.Client(null).PostAsync(new Uri("/api/v1/login", UriKind.Relative), content);
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, true), (answer.StatusCode, answer.Headers.ConnectionClose));
    }

    [Fact]
    public async Task A_login_that_only_its_page_uses_ends_and_its_streams_with_it()
    {
        await _host.StartAsync();
        (string cookie, _) = await LogInAsync("anna");
        HttpClient browser = _host.Client(null);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/topics/plant/a/events");
        request.Headers.Add("Cookie", cookie);
        using HttpResponseMessage stream = await browser.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, stream.StatusCode);
        for (int minute = 0; minute < 29; minute++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(200, (await ApiHost.AskAsync(browser, "GET", "/api/v1/me", null, ("Cookie", cookie), ("X-Background", "1"))).Status);
        }

        Assert.Equal(200, (await ApiHost.AskAsync(browser, "GET", "/api/v1/me", null, ("Cookie", cookie))).Status);
        _time.Advance(TimeSpan.FromMinutes(29));
        Assert.Equal(200, (await ApiHost.AskAsync(browser, "GET", "/api/v1/me", null, ("Cookie", cookie), ("X-Background", "1"))).Status);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("login-needed", await ApiHost.ProblemAsync(browser, "GET", "/api/v1/me", null, ("Cookie", cookie), ("X-Background", "1")));
        await Deadline.AdvanceUntil(_time, () => _host.Web.Site.Streams.Count == 0, "the stream's end");
    }

    [Fact]
    public async Task A_reader_that_stops_gives_its_stream_up()
    {
        await _host.StartAsync(anonymous: true);
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, _host.Port);
        await socket.SendAsync("GET /topics/plant/a/events HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
        await Deadline.Until(() => _host.Web.Site.Streams.Count == 1, "the stream");
        using Core.Receivers.LocalClient plant = _host.Web.Broker.OpenLocal("plant", new Core.Receivers.LocalClientOptions());
        byte[] large = [.. Enumerable.Repeat((byte)'x', 200_000)];
        // More than any socket holds, and the clock goes on.
        await Deadline.AdvanceUntil(
            _time,
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(2));
                _ = plant.PublishAsync(new Core.Messages.Message { Topic = "plant/a"u8.ToArray(), Payload = large });
                return _host.Web.Site.Streams.Count == 0;
            },
            "the stream's end");
        Assert.Equal(0, _host.Web.Broker.Faults);
    }

    [Fact]
    public async Task Sessions_are_ordered_by_what_flows_lately()
    {
        await _host.StartAsync();
        await (await _host.Web.Server.OpenAsync(new Transport.Listeners.ListenerSettings
        {
            Protocol = Transport.Listeners.ListenerProtocol.Mqtt,
            Address = "127.0.0.1:0",
            AllowAnonymous = true,
        })).BeginAsync();
        TestClient quiet = await ConnectAsync("a-was-busy"), busy = await ConnectAsync("b-is-busy");
        for (int i = 0; i < 20; i++) await quiet.PublishAsync("plant/t");
        await quiet.FenceAsync();
        HttpClient admin = _host.Client();
        Assert.Equal(2, (await ApiHost.AskAsync(admin, "GET", "/api/v1/sessions?sort=-in_per_second")).Body.GetProperty("items").GetArrayLength());
        _time.Advance(TimeSpan.FromSeconds(2));
        for (int i = 0; i < 10; i++) await busy.PublishAsync("plant/t");
        await busy.FenceAsync();
        (_, JsonElement list) = await ApiHost.AskAsync(admin, "GET", "/api/v1/sessions?sort=-in_per_second&limit=1");
        JsonElement first = list.GetProperty("items")[0];
        Assert.Equal(("b-is-busy", 5.0), (first.GetProperty("client_id").GetString(), first.GetProperty("in_per_second").GetDouble()));
        Assert.True(list.GetProperty("page").GetProperty("top").GetBoolean());
    }

    private async Task<TestClient> ConnectAsync(string clientId)
    {
        TestClient client = _host.Web.Mqtt(await _host.Web.TcpAsync(_host.Web.Port(1)), clientId);
        await client.SendAsync(client.Packets.Connect(clientId));
        await client.ExpectConnackAsync();
        return client;
    }

    private static AuditEntry Entry(string? actor, string address, string target) =>
        new(default, actor, "none", "nothing", address, "login", target, 401, "1", null);

    private async Task<(string Cookie, string Csrf)> LogInAsync(string user)
    {
        using HttpResponseMessage response = await _host.Client(null).PostAsync(
            "/api/v1/login", new StringContent($$"""{"user":"{{user}}","password":"geheim"}""", System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using JsonDocument me = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return (Assert.Single(response.Headers.GetValues("Set-Cookie")).Split(';')[0], me.RootElement.GetProperty("csrf_token").GetString()!);
    }
}
