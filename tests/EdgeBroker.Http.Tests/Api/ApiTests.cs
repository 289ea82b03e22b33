using System.Net;
using System.Text.Json;
using EdgeBroker.Http.Api;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Tests.Api;

/// <summary>The administration API over HTTP, with MQTT clients beside it.</summary>
public sealed class ApiTests : IAsyncDisposable
{
    private readonly ApiHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Sessions_are_listed_in_pages_found_and_shown()
    {
        await StartAsync();
        foreach (string id in new[] { "a", "b/1", "c", "press7" }) await ConnectAsync(id);
        HttpClient admin = _host.Client();
        var seen = new List<string>();
        string? next = null;
        do
        {
            (int status, JsonElement page) = await ApiHost.AskAsync(admin, "GET", "/api/v1/sessions?limit=3" + (next is null ? "" : "&after=" + next));
            Assert.Equal((200, 4), (status, page.GetProperty("page").GetProperty("total_count").GetInt32()));
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(row => row.GetProperty("client_id").GetString()!));
            next = page.GetProperty("page").TryGetProperty("next", out JsonElement cursor) ? cursor.GetString() : null;
            if (next is not null)
            {
                Assert.Equal("cursor-does-not-fit", await ApiHost.ProblemAsync(admin, "GET", "/api/v1/sessions?user=x&after=" + next));
            }
        }
        while (next is not null);
        Assert.Equal(["a", "b/1", "c", "press7"], seen);

        Assert.Equal(["press7"], await IdsAsync(admin, "?q=ESS7"));
        Assert.Equal(["a", "c"], await IdsAsync(admin, "?client_id=c&client_id=a&client_id=nobody"));
        Assert.Equal(["press7", "c", "b/1", "a"], await IdsAsync(admin, "?sort=-client_id"));
        Assert.Equal(4, (await IdsAsync(admin, "?address=127.0.0.0/8&state=connected&protocol=5.0&transport=tcp")).Length);
        Assert.Empty(await IdsAsync(admin, "?address=10.0.0.0/8"));
        Assert.Empty(await IdsAsync(admin, "?queue_messages_min=1"));
        Assert.Equal(4, (await IdsAsync(admin, "?sort=-connected_at")).Length);
        (_, JsonElement few) = await ApiHost.AskAsync(admin, "GET", "/api/v1/sessions?fields=client_id,state&limit=1");
        Assert.Equal("""{"client_id":"a","state":"connected"}""", few.GetProperty("items")[0].GetRawText());
        foreach (string wrong in new[] { "?limit=0", "?limit=1001", "?limit=x", "?nonsense=1", "?state=dead", "?address=x", "?sort=user", "?limit=1&limit=2" })
        {
            Assert.Equal("invalid-parameter", await ApiHost.ProblemAsync(admin, "GET", "/api/v1/sessions" + wrong));
        }
    }

    [Theory]
    [InlineData("a/b%2F+#", "a%2Fb%252F%2B%23")]
    [InlineData("<img onerror=x>", "%3Cimg%20onerror%3Dx%3E")]
    [InlineData("%2E%2E", "%252E%252E")]
    public async Task A_client_with_an_odd_id_is_shown_and_kicked(string clientId, string segment)
    {
        await StartAsync();
        TestClient client = await ConnectAsync(clientId);
        HttpClient admin = _host.Client();
        (int status, JsonElement session) = await ApiHost.AskAsync(admin, "GET", "/api/v1/sessions/" + segment);
        Assert.Equal((200, clientId), (status, session.GetProperty("client_id").GetString()));
        (status, JsonElement kicked) = await ApiHost.AskAsync(admin, "DELETE", "/api/v1/sessions/" + segment);
        Assert.Equal((200, true), (status, kicked.GetProperty("kicked").GetBoolean()));
        await client.ExpectDisconnectAsync(ReasonCode.AdministrativeAction);
        await Deadline.Until(() => _host.Web.Broker.FindSession(clientId) is null, "the session's end");
        Assert.Equal("no-such-session", await ApiHost.ProblemAsync(admin, "DELETE", "/api/v1/sessions/" + segment));
        Assert.Equal(200, (await ApiHost.AskAsync(admin, "DELETE", "/api/v1/sessions/" + segment + "?missing_ok=true")).Status);
    }

    [Fact]
    public async Task Ids_that_no_path_can_hold_are_reached_by_query_and_slashes_are_explained()
    {
        await StartAsync();
        await ConnectAsync("..");
        await ConnectAsync("a/b");
        HttpClient admin = _host.Client();
        Assert.Equal(200, (await ApiHost.AskAsync(admin, "DELETE", "/api/v1/sessions?client_id=..")).Status);
        (int status, JsonElement problem) = await ApiHost.AskAsync(admin, "GET", "/api/v1/sessions/a/b");
        Assert.Equal(404, status);
        Assert.Contains("/api/v1/sessions/a%2Fb", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.NotNull(_host.Web.Broker.FindSession("a/b"));
    }

    [Fact]
    public async Task A_kick_hits_only_the_connection_that_was_seen()
    {
        await StartAsync();
        await ConnectAsync("press7");
        HttpClient admin = _host.Client();
        using HttpResponseMessage seen = await admin.GetAsync("/api/v1/sessions/press7");
        string tag = seen.Headers.ETag!.Tag;
        TestClient second = await ConnectAsync("press7");
        Assert.Equal("changed-meanwhile", await ApiHost.ProblemAsync(admin, "DELETE", "/api/v1/sessions/press7", null, ("If-Match", tag)));
        Assert.Equal("changed-meanwhile", await ApiHost.ProblemAsync(admin, "DELETE", "/api/v1/sessions/press7?forget=true", null, ("If-Match", tag)));
        await second.FenceAsync();
        using HttpResponseMessage again = await admin.GetAsync("/api/v1/sessions/press7");
        Assert.Equal(200, (await ApiHost.AskAsync(admin, "DELETE", "/api/v1/sessions/press7", null, ("If-Match", again.Headers.ETag!.Tag))).Status);
        await second.ExpectDisconnectAsync(ReasonCode.AdministrativeAction);
        await Deadline.Until(() => _host.Web.Broker.FindSession("press7") is null, "the session's end");
        (_, JsonElement events) = await ApiHost.AskAsync(admin, "GET", "/api/v1/events?client_id=press7&kind=disconnected");
        JsonElement last = events.GetProperty("items")[0];
        Assert.Equal(("broker", 0x98), (last.GetProperty("by").GetString(), last.GetProperty("reason_code").GetInt32()));
        Assert.Contains(_host.Web.Site.Audit.ToList(), entry => entry is { Action: "session.kick", Target: "press7", Status: 200, Actor: "admin-token" });
    }

    [Fact]
    public async Task To_forget_is_for_admins_and_many_at_once_for_those_who_counted()
    {
        await StartAsync();
        for (int i = 0; i < 3; i++) await ConnectAsync("line" + i);
        TestClient other = await ConnectAsync("other");
        Assert.Equal("role-needed", await ApiHost.ProblemAsync(_host.Client(ApiHost.OperatorToken), "DELETE", "/api/v1/sessions/line0?forget=true"));
        HttpClient admin = _host.Client();
        string path = "/api/v1/sessions/delete";
        (int status, JsonElement problem) = await ApiHost.AskAsync(admin, "POST", path, """{"filter":{"client_id":"line*"},"forget":true,"expect_count":2}""");
        Assert.Equal((409, 3), (status, problem.GetProperty("count").GetInt32()));
        Assert.Equal("invalid-body", await ApiHost.ProblemAsync(admin, "POST", path, """{"filter":{},"forget":true,"expect_count":4}"""));
        (status, JsonElement done) = await ApiHost.AskAsync(admin, "POST", path, """{"filter":{"client_id":"line*"},"forget":true,"expect_count":3}""");
        Assert.Equal((200, 3), (status, done.GetProperty("deleted_count").GetInt32()));
        await other.FenceAsync();
        Assert.Equal(["other"], await IdsAsync(admin, ""));
    }

    [Fact]
    public async Task Retained_values_are_listed_shown_to_operators_and_deleted()
    {
        await StartAsync();
        HttpClient admin = _host.Client(), viewer = _host.Client(ApiHost.ViewerToken);
        foreach (string topic in new[] { "plant/a", "plant/b/c", "other" }) await ApiHost.AskAsync(admin, "POST", $"/topics/{topic}?retain=true", topic);
        (_, JsonElement list) = await ApiHost.AskAsync(viewer, "GET", "/api/v1/retained?filter=plant/%2B");
        Assert.Equal("plant/a", Assert.Single(list.GetProperty("items").EnumerateArray()).GetProperty("topic").GetString());
        Assert.Equal("plus-must-be-encoded", await ApiHost.ProblemAsync(viewer, "GET", "/api/v1/retained?filter=plant/+"));
        (_, list) = await ApiHost.AskAsync(viewer, "GET", "/api/v1/retained?q=B/");
        Assert.Equal("plant/b/c", Assert.Single(list.GetProperty("items").EnumerateArray()).GetProperty("topic").GetString());

        (_, JsonElement seen) = await ApiHost.AskAsync(viewer, "GET", "/api/v1/retained/plant%2Fa");
        Assert.False(seen.TryGetProperty("payload", out _));
        (_, seen) = await ApiHost.AskAsync(_host.Client(ApiHost.OperatorToken), "GET", "/api/v1/retained/plant%2Fa?payload_limit_bytes=5");
        Assert.Equal(("plant", true), (seen.GetProperty("payload").GetString(), seen.GetProperty("payload_truncated").GetBoolean()));
        // An operator reads what the rules let it read, the admin all.
        (_, seen) = await ApiHost.AskAsync(_host.Client(ApiHost.OperatorToken), "GET", "/api/v1/retained/other");
        Assert.False(seen.TryGetProperty("payload", out _));

        Assert.Equal("role-needed", await ApiHost.ProblemAsync(viewer, "DELETE", "/api/v1/retained/other"));
        Assert.Equal("changed-meanwhile", await ApiHost.ProblemAsync(admin, "DELETE", "/api/v1/retained/other", null, ("If-Match", "\"0\"")));
        Assert.Equal(200, (await ApiHost.AskAsync(admin, "DELETE", "/api/v1/retained?topic=other")).Status);
        Assert.Equal("no-retained-value", await ApiHost.ProblemAsync(admin, "DELETE", "/api/v1/retained/other"));
        (int status, JsonElement gone) = await ApiHost.AskAsync(admin, "POST", "/api/v1/retained/delete", """{"filter":"plant/#","expect_count":2}""");
        Assert.Equal((200, 2), (status, gone.GetProperty("deleted_count").GetInt32()));
    }

    [Fact]
    public async Task The_broker_as_a_whole_is_seen()
    {
        await StartAsync();
        TestClient client = await ConnectAsync("press7");
        await client.SubscribeAsync("plant/#", 1);
        HttpClient viewer = _host.Client(ApiHost.ViewerToken);
        (_, JsonElement overview) = await ApiHost.AskAsync(viewer, "GET", "/api/v1/overview");
        Assert.Equal(
            ("gw-test", 1, 1, "good"),
            (overview.GetProperty("node").GetString(), overview.GetProperty("connected_count").GetInt32(),
                overview.GetProperty("subscriptions_count").GetInt32(),
                overview.GetProperty("health").GetProperty("status").GetString()));
        (_, JsonElement metrics) = await ApiHost.AskAsync(viewer, "GET", "/api/v1/metrics?names=mqtt.connections.current,edgebroker.up*");
        Assert.Equal(
            ["edgebroker.uptime", "mqtt.connections.current"],
            metrics.GetProperty("items").EnumerateArray().Select(one => one.GetProperty("name").GetString()).Distinct().Order(StringComparer.Ordinal));
        (_, JsonElement subscribers) = await ApiHost.AskAsync(viewer, "GET", "/api/v1/subscriptions?matches_topic=plant/x");
        Assert.Equal("press7", Assert.Single(subscribers.GetProperty("items").EnumerateArray()).GetProperty("client_id").GetString());
        (_, JsonElement limits) = await ApiHost.AskAsync(viewer, "GET", "/api/v1/limits");
        Assert.Contains(limits.EnumerateArray(), one => one.GetProperty("key").GetString() == "max_sessions");
        (_, JsonElement memory) = await ApiHost.AskAsync(viewer, "GET", "/api/v1/memory");
        Assert.True(memory.GetProperty("ledger_bytes").GetProperty("sessions").GetInt64() > 0);
        await ApiHost.ProblemAsync(_host.User("anna"), "POST", "/topics/plant/locked/x", "1");
        (_, JsonElement refusals) = await ApiHost.AskAsync(viewer, "GET", "/api/v1/refusals?what=publish");
        JsonElement refusal = Assert.Single(refusals.GetProperty("items").EnumerateArray());
        Assert.Equal(("plant/locked/x", 135), (refusal.GetProperty("about").GetString(), refusal.GetProperty("reason_code").GetInt32()));
        Assert.Matches(@"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", refusal.GetProperty("last_at").GetString());
        (_, JsonElement verdict) = await ApiHost.AskAsync(
            _host.Client(ApiHost.OperatorToken), "POST", "/api/v1/acl/test",
                """{"user":"anna","action":"publish","topic":"plant/locked/x","qos":1,"retain":true}""");
        Assert.False(verdict.GetProperty("allowed").GetBoolean());
        Assert.Equal("9.9.9", (await ApiHost.AskAsync(viewer, "GET", "/api/v1/version")).Body.GetProperty("version").GetString());
        Assert.Equal(0, (await ApiHost.AskAsync(viewer, "GET", "/api/v1/shared-groups")).Body.GetProperty("page").GetProperty("total_count").GetInt32());
        Assert.Equal(200, (await ApiHost.AskAsync(viewer, "GET", "/api/v1/listeners")).Status);
        Assert.Equal(5, (await ApiHost.AskAsync(viewer, "GET", "/api/v1/certificates")).Body[0].GetProperty("days_left").GetInt32());
        Assert.Equal("cloud", Assert.Single((await ApiHost.AskAsync(viewer, "GET", "/api/v1/queues")).Body.EnumerateArray()).GetProperty("name").GetString());
        Assert.Equal(200, (await ApiHost.AskAsync(viewer, "GET", "/api/v1/sessions/press7/subscriptions")).Status);
    }

    [Fact]
    public async Task A_reload_takes_the_files_that_were_checked()
    {
        await StartAsync();
        HttpClient admin = _host.Client();
        _host.FileErrors = ["broker.toml:33:7: \"max_qos\" expects a whole number from 0 to 2"];
        (int status, JsonElement check) = await ApiHost.AskAsync(admin, "POST", "/api/v1/config/check");
        Assert.Equal((200, false), (status, check.GetProperty("valid").GetBoolean()));
        (status, JsonElement problem) = await ApiHost.AskAsync(admin, "POST", "/api/v1/reload");
        JsonElement error = problem.GetProperty("errors")[0];
        Assert.Equal(
            (422, "broker.toml", 33, 7),
            (status, error.GetProperty("file").GetString(), error.GetProperty("line").GetInt32(), error.GetProperty("column").GetInt32()));

        _host.FileErrors = [];
        using HttpResponseMessage seen = await admin.PostAsync("/api/v1/config/check", null);
        string tag = seen.Headers.ETag!.Tag;
        _host.Files = "two";
        Assert.Equal("changed-meanwhile", await ApiHost.ProblemAsync(admin, "POST", "/api/v1/reload", null, ("If-Match", tag)));
        Assert.Equal(200, (await ApiHost.AskAsync(admin, "POST", "/api/v1/reload", null, ("If-Match", "\"two\""))).Status);
        Assert.Equal(200, (await ApiHost.AskAsync(admin, "POST", "/api/v1/reload?dry_run=true")).Status);
        (_, JsonElement changes) = await ApiHost.AskAsync(admin, "GET", "/api/v1/config/changes");
        Assert.Equal(2, changes.GetArrayLength());
        Assert.Equal("admin-token", changes[0].GetProperty("by").GetString());
        Assert.Equal("gw-test", (await ApiHost.AskAsync(admin, "GET", "/api/v1/config")).Body.GetProperty("node").GetProperty("name").GetString());
        (_, JsonElement audit) = await ApiHost.AskAsync(admin, "GET", "/api/v1/audit");
        string[] actions = [.. audit.GetProperty("items").EnumerateArray().Select(one => one.GetProperty("action").GetString()!)];
        Assert.Equal("config.read", actions[0]);
        Assert.Equal(4, actions.Count(action => action == "reload"));
        Assert.DoesNotContain(ApiHost.AdminToken, audit.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain(ApiHost.AdminToken, string.Join("\n", _host.Web.Log.All), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_is_read_and_its_level_set_for_a_while()
    {
        await StartAsync();
        _host.LogLines = [new LogLine(2, DateTimeOffset.UnixEpoch, "warning", "EdgeBroker.Store", 9031, "the disk is slow"),
            new LogLine(1, DateTimeOffset.UnixEpoch, "info", "audit", 5400, "kicked") { ClientId = "press7" }];
        HttpClient viewer = _host.Client(ApiHost.ViewerToken), anna = _host.User("anna");
        (_, JsonElement lines) = await ApiHost.AskAsync(viewer, "GET", "/api/v1/log?level=warning&q=DISK");
        Assert.Equal("the disk is slow", Assert.Single(lines.GetProperty("items").EnumerateArray()).GetProperty("text").GetString());
        string path = "/api/v1/log/levels";
        using HttpResponseMessage seen = await viewer.GetAsync(path);
        string tag = seen.Headers.ETag!.Tag;
        Assert.Equal("role-needed", await ApiHost.ProblemAsync(viewer, "PUT", path, """{"level":"debug"}""", ("If-Match", tag)));
        Assert.Equal("if-match-needed", await ApiHost.ProblemAsync(anna, "PUT", path, """{"level":"debug"}"""));
        Assert.Equal("invalid-body", await ApiHost.ProblemAsync(anna, "PUT", path, """{"level":"all"}""", ("If-Match", tag)));
        (int status, JsonElement level) = await ApiHost.AskAsync(anna, "PUT", path, """{"level":"debug","until_seconds":600}""", ("If-Match", tag));
        Assert.Equal((200, "debug", 600), (status, level.GetProperty("level").GetString(), level.GetProperty("until_seconds").GetInt32()));
        Assert.Equal("changed-meanwhile", await ApiHost.ProblemAsync(anna, "PUT", path, """{"level":"error"}""", ("If-Match", tag)));
    }

    [Fact]
    public async Task A_copy_of_the_store_is_fetched_once()
    {
        await StartAsync();
        HttpClient admin = _host.Client();
        (int status, JsonElement backup) = await ApiHost.AskAsync(admin, "POST", "/api/v1/backup");
        Assert.Equal((201, 8), (status, backup.GetProperty("bytes").GetInt32()));
        string path = "/api/v1/backups/" + backup.GetProperty("id").GetString();
        Assert.Equal("role-needed", await ApiHost.ProblemAsync(_host.User("anna"), "GET", path));
        using HttpResponseMessage copy = await admin.GetAsync(path);
        Assert.Equal("the copy", await copy.Content.ReadAsStringAsync());
        Assert.Equal("attachment", copy.Content.Headers.ContentDisposition!.DispositionType);
        Assert.Equal("no-such-endpoint", await ApiHost.ProblemAsync(admin, "GET", path));
        await Deadline.Until(() => !File.Exists(_host.Web.PathOf(backup.GetProperty("id").GetString()!)), "its deletion");
        Assert.Contains(_host.Web.Site.Audit.ToList(), entry => entry is { Action: "backup.fetch", Status: 200 });
    }

    [Fact]
    public async Task A_list_is_compressed_where_that_is_understood()
    {
        await StartAsync();
        for (int i = 0; i < 20; i++) await ConnectAsync("client-with-a-name-" + i);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/sessions");
        request.Headers.Add("Accept-Encoding", "gzip");
        using HttpResponseMessage response = await _host.Client().SendAsync(request);
        Assert.Equal("gzip", Assert.Single(response.Content.Headers.ContentEncoding));
        using var gzip = new System.IO.Compression.GZipStream(await response.Content.ReadAsStreamAsync(), System.IO.Compression.CompressionMode.Decompress);
        using JsonDocument page = await JsonDocument.ParseAsync(gzip);
        Assert.Equal(20, page.RootElement.GetProperty("items").GetArrayLength());
        using var head = new HttpRequestMessage(HttpMethod.Head, "/api/v1/version");
        using HttpResponseMessage headers = await _host.Client().SendAsync(head);
        Assert.Equal((HttpStatusCode.OK, ""), (headers.StatusCode, await headers.Content.ReadAsStringAsync()));
        Assert.Equal("no-store", headers.Headers.CacheControl!.ToString());
    }

    private int _mqttPort;

    private async Task StartAsync()
    {
        await _host.StartAsync();
        await (await _host.Web.Server.OpenAsync(
            new ListenerSettings { Protocol = ListenerProtocol.Mqtt, Address = "127.0.0.1:0", AllowAnonymous = true })).BeginAsync();
        _mqttPort = _host.Web.Port(1);
    }

    private async Task<TestClient> ConnectAsync(string clientId)
    {
        TestClient client = _host.Web.Mqtt(await _host.Web.TcpAsync(_mqttPort), clientId);
        await client.SendAsync(client.Packets.Connect(clientId));
        await client.ExpectConnackAsync();
        return client;
    }

    private static async Task<string[]> IdsAsync(HttpClient client, string query)
    {
        (int status, JsonElement page) = await ApiHost.AskAsync(client, "GET", "/api/v1/sessions" + query);
        Assert.Equal(200, status);
        return [.. page.GetProperty("items").EnumerateArray().Select(row => row.GetProperty("client_id").GetString()!)];
    }
}
