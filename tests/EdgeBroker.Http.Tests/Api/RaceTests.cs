using System.Text.Json;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Tests.Api;

/// <summary>Two who want the same at once, and one who wants it twice.</summary>
public sealed class RaceTests : IAsyncDisposable
{
    private const int Rounds = 20;

    private readonly ApiHost _host = new();
    private int _mqttPort;

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Of_two_who_replace_the_value_they_have_seen_one_does()
    {
        await StartAsync();
        HttpClient anna = _host.Client(), bert = _host.Client();
        await PutAsync(anna, "0");
        for (int i = 1; i <= Rounds; i++)
        {
            string tag = await TagAsync();
            int[] statuses = await BothAsync(() => PutAsync(anna, "anna " + i, ("If-Match", tag)), () => PutAsync(bert, "bert " + i, ("If-Match", tag)));
            Assert.Equal([200, 412], statuses.Order());
            Assert.Equal(statuses[0] == 200 ? "anna " + i : "bert " + i, await ValueAsync());
        }
    }

    [Fact]
    public async Task Of_two_who_put_a_value_back_where_none_is_one_does()
    {
        await StartAsync();
        HttpClient anna = _host.Client(), bert = _host.Client();
        for (int i = 0; i < Rounds; i++)
        {
            int[] statuses = await BothAsync(() => PutAsync(anna, "anna", ("If-None-Match", "*")), () => PutAsync(bert, "bert", ("If-None-Match", "*")));
            Assert.Equal([200, 412], statuses.Order());
            // And of two who delete it, one.
            statuses = await BothAsync(() => StatusAsync(anna, "DELETE", "/api/v1/retained/plant%2Fx"), () => StatusAsync(bert, "DELETE",
                "/api/v1/retained/plant%2Fx"));
            Assert.Equal([200, 404], statuses.Order());
        }
    }

    [Fact]
    public async Task A_value_is_replaced_or_deleted_and_never_both()
    {
        await StartAsync();
        HttpClient anna = _host.Client(), bert = _host.Client();
        for (int i = 0; i < Rounds; i++)
        {
            await PutAsync(anna, "first " + i);
            string tag = await TagAsync();
            int[] statuses = await BothAsync(
                () => PutAsync(anna, "second", ("If-Match", tag)), () => StatusAsync(bert, "DELETE", "/api/v1/retained/plant%2Fx", ("If-Match", tag)));
            bool isReplaced = statuses[0] == 200;
            Assert.True(isReplaced != (statuses[1] == 200), string.Join(' ', statuses));
            Assert.Equal(isReplaced ? "second" : null, await ValueAsync());
        }
    }

    [Fact]
    public async Task A_kick_while_the_client_leaves_hits_it_or_finds_nobody()
    {
        await StartAsync();
        HttpClient admin = _host.Client(), other = _host.Client(ApiHost.OperatorToken);
        for (int i = 0; i < Rounds; i++)
        {
            TestClient client = await ConnectAsync("press7");
            Task leaving = Task.Run(() => LeaveAsync(client));
            int[] statuses = await BothAsync(
                () => StatusAsync(admin, "DELETE", "/api/v1/sessions/press7?forget=true"), () => StatusAsync(other, "DELETE", "/api/v1/sessions/press7"));
            Assert.All(statuses, status => Assert.Contains(status, new[] { 200, 404 }));
            await leaving.WaitAsync(Deadline.Timeout);
            await Deadline.Until(() => _host.Web.Broker.SessionCount == 0, "the session's end");
        }
    }

    [Fact]
    public async Task Of_two_who_forget_the_same_many_each_session_is_counted_once()
    {
        await StartAsync();
        HttpClient anna = _host.Client(), bert = _host.Client();
        for (int i = 0; i < 5; i++)
        {
            for (int client = 0; client < 4; client++) await ConnectAsync("line" + client);
            const string body = """{"filter":{"client_id":"line*"},"forget":true,"expect_count":4}""";
            (int Status, JsonElement Body)[] answers = await BothAsync(() => AskAsync(anna), () => AskAsync(bert));
            Assert.All(answers, answer => Assert.Contains(answer.Status, new[] { 200, 409 }));
            Assert.Equal(4, answers.Where(answer => answer.Status == 200).Sum(answer => answer.Body.GetProperty("deleted_count").GetInt32()));
            await Deadline.Until(() => _host.Web.Broker.SessionCount == 0, "the sessions' end");

            static Task<(int Status, JsonElement Body)> AskAsync(HttpClient client) => ApiHost.AskAsync(client, "POST", "/api/v1/sessions/delete", body);
        }
    }

    [Fact]
    public async Task A_reload_during_a_reload_is_refused_and_the_first_goes_on()
    {
        await StartAsync();
        HttpClient anna = _host.Client(), bert = _host.Client();
        using var begun = new SemaphoreSlim(0);
        using var end = new ManualResetEventSlim();
        _host.Reloading = () =>
        {
            begun.Release();
            Assert.True(end.Wait(Deadline.Timeout));
        };
        Task<int> first = StatusAsync(anna, "POST", "/api/v1/reload");
        Assert.True(await begun.WaitAsync(Deadline.Timeout));
        Assert.Equal("reload-running", await ApiHost.ProblemAsync(bert, "POST", "/api/v1/reload"));
        Assert.Equal("reload-running", await ApiHost.ProblemAsync(bert, "POST", "/api/v1/reload?dry_run=true"));
        end.Set();
        Assert.Equal(200, await first.WaitAsync(Deadline.Timeout));
        _host.Reloading = null;
        Assert.Equal(200, await StatusAsync(bert, "POST", "/api/v1/reload"));
        Assert.Equal(2, _host.Reloads.Count);
    }

    /// <summary>What was done already is told so, or done again to the same end.</summary>
    [Fact]
    public async Task Whoever_asks_twice_changes_nothing_the_second_time()
    {
        await StartAsync();
        HttpClient admin = _host.Client();
        TestClient client = await ConnectAsync("press7");
        await client.SubscribeAsync("plant/#", 1);
        string filter = "/api/v1/sessions/press7/subscriptions?filter=plant%2F%23";
        await TwiceAsync(200, 404, "DELETE", filter);
        await TwiceAsync(200, 200, "DELETE", "/api/v1/sessions/press7/queue");
        await TwiceAsync(200, 200, "PUT", "/api/v1/retained/plant%2Fx", """{"payload":"1"}""");
        Assert.Equal("1", await ValueAsync());
        await TwiceAsync(200, 404, "DELETE", "/api/v1/retained/plant%2Fx");
        await TwiceAsync(200, 200, "POST", "/api/v1/reload");
        await TwiceAsync(200, 200, "POST", "/api/v1/bridges/cloud/pause");
        Assert.Equal(200, await StatusAsync(admin, "DELETE", "/api/v1/sessions/press7"));
        await Deadline.Until(() => _host.Web.Broker.SessionCount == 0, "the session's end");
        Assert.Equal(404, await StatusAsync(admin, "DELETE", "/api/v1/sessions/press7"));
        (int status, JsonElement missing) = await ApiHost.AskAsync(admin, "DELETE", "/api/v1/sessions/press7?missing_ok=true");
        Assert.Equal((200, """{"kicked":false,"forgotten":false}"""), (status, missing.GetRawText()));

        async Task TwiceAsync(int first, int second, string method, string path, string? body = null)
        {
            Assert.Equal(first, (await ApiHost.AskAsync(admin, method, path, body)).Status);
            Assert.Equal(second, (await ApiHost.AskAsync(admin, method, path, body)).Status);
        }
    }

    private static async Task LeaveAsync(TestClient client)
    {
        try
        {
            await client.SendAsync(client.Packets.Disconnect());
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // It has been kicked.
        }
    }

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

    private static async Task<T[]> BothAsync<T>(Func<Task<T>> one, Func<Task<T>> other)
    {
        Task<T> first = Task.Run(one), second = Task.Run(other);
        return await Task.WhenAll(first, second).WaitAsync(Deadline.Timeout);
    }

    private static Task<int> PutAsync(HttpClient client, string value, params (string Name, string Value)[] headers) =>
        StatusAsync(client, "PUT", "/api/v1/retained/plant%2Fx", $$"""{"payload":"{{value}}"}""", headers);

    private static Task<int> StatusAsync(HttpClient client, string method, string path, params (string Name, string Value)[] headers) =>
        StatusAsync(client, method, path, null, headers);

    private static async Task<int> StatusAsync(HttpClient client, string method, string path, string? body, (string Name, string Value)[] headers) =>
        (await Patience.AskAsync(() => ApiHost.AskAsync(client, method, path, body, headers), one => one.Status)).Status;

    private async Task<string> TagAsync()
    {
        using HttpResponseMessage seen = await Patience.AskAsync(() => _host.Client().GetAsync("/api/v1/retained/plant%2Fx"), one => (int)one.StatusCode);
        return seen.Headers.ETag!.Tag;
    }

    private async Task<string?> ValueAsync()
    {
        (int status, JsonElement value) = await Patience.AskAsync(
            () => ApiHost.AskAsync(_host.Client(), "GET", "/api/v1/retained/plant%2Fx"), one => one.Status);
        return status == 404 ? null : value.GetProperty("payload").GetString();
    }
}
