using System.Net;
using System.Text;
using System.Text.Json;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Http.Publishing;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Http.Tests.Publishing;

/// <summary>Publishing over HTTP: the messages, and what is said of those that are not taken.</summary>
public sealed class PublishTests : IAsyncDisposable
{
    private readonly ApiHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_message_arrives_with_all_it_was_given()
    {
        await _host.StartAsync();
        using LocalClient subscriber = Subscriber();
        (int status, JsonElement answer) = await ApiHost.AskAsync(
            _host.User("anna"), "POST", "/publish",
            """
            {"topic":"plant/t","payload":"21.5","qos":1,"content_type":"text/plain","response_topic":"plant/r","correlation_data_base64":"AQI=",
             "payload_format":"utf-8","user_properties":[["k","v"],["k","w"]],"expiry_seconds":60}
            """);
        Assert.Equal((200, "accepted", 0, true), (status, answer.GetProperty("outcome").GetString(), answer.GetProperty("reason_code").GetInt32(),
            answer.GetProperty("committed").GetBoolean()));
        Message message = Read(subscriber);
        Assert.Equal(("plant/t", "21.5", 60u), (Text(message.Topic), Text(message.Payload), message.RemainingExpirySeconds(_host.Web.Broker.Clock.NowMs)));
        Assert.True(PropertyBlock.TryRead(message.Properties, out PropertyBlock properties));
        Assert.Equal("text/plain", Text(properties.GetValue(PropertyId.ContentType).ToArray()));
        Assert.Equal("plant/r", Text(properties.GetValue(PropertyId.ResponseTopic).ToArray()));
        Assert.Equal([1, 2], properties.GetValue(PropertyId.CorrelationData).ToArray());
        Assert.Equal(1u, properties.GetNumber(PropertyId.PayloadFormatIndicator, 0));
        var pairs = new List<string>();
        foreach (Property property in properties)
        {
            if (property.Id == PropertyId.UserProperty) pairs.Add(Text(property.Name.ToArray()) + "=" + Text(property.Value.ToArray()));
        }

        Assert.Equal(["k=v", "k=w"], pairs);
    }

    [Theory]
    [InlineData("""{"topic":"plant/t","payload_base64":"AAH/"}""", "0001FF")]
    [InlineData("""{"topic":"plant/t","payload_json":{"a":[1, 2]}}""", "7B2261223A5B312C20325D7D")]
    [InlineData("""{"topic":"plant/t"}""", "")]
    public async Task A_payload_comes_as_text_bytes_or_json(string body, string payload)
    {
        await _host.StartAsync();
        using LocalClient subscriber = Subscriber();
        Assert.Equal(200, (await ApiHost.AskAsync(_host.User("anna"), "POST", "/publish", body)).Status);
        Assert.Equal(payload, Convert.ToHexString(Read(subscriber).Payload));
    }

    [Fact]
    public async Task Several_are_taken_in_order_and_each_has_its_outcome()
    {
        await _host.StartAsync();
        using LocalClient subscriber = Subscriber();
        (int status, JsonElement answers) = await ApiHost.AskAsync(
            _host.User("anna"), "POST", "/publish",
            """[{"topic":"plant/1","payload":"a"},{"topic":"plant/locked/x"},{"topic":"a/#"},{"topic":"plant/2","payload":"b","qos":2}]""");
        Assert.Equal(200, status);
        Assert.Equal(
            ["accepted", "refused 403", "refused 400", "accepted"],
            answers.EnumerateArray().Select(one => one.GetProperty("outcome").GetString() + (one.TryGetProperty("status", out JsonElement s) ? " " + s : "")));
        Assert.Equal(["plant/1", "plant/2"], new[] { Text(Read(subscriber).Topic), Text(Read(subscriber).Topic) });
    }

    [Fact]
    public async Task Who_may_not_is_told_the_rule()
    {
        await _host.StartAsync();
        (int status, JsonElement problem) = await ApiHost.AskAsync(_host.User("anna"), "POST", "/publish", """{"topic":"plant/locked/door"}""");
        Assert.Equal((403, 135), (status, problem.GetProperty("reason_code").GetInt32()));
        Assert.Contains("broker.toml:9", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("not-permitted", await ApiHost.ProblemAsync(_host.User("anna"), "POST", "/topics/$SYS/x", "1"));
        // A viewer's token reads numbers; it publishes nothing. The admin's stands above the rules, which the audit shows.
        Assert.Equal("not-permitted", await ApiHost.ProblemAsync(_host.Client(ApiHost.ViewerToken), "POST", "/topics/plant/x", "1"));
        Assert.Equal(200, (await ApiHost.AskAsync(_host.Client(), "POST", "/topics/plant/locked/door", "1")).Status);
        Assert.Contains(_host.Web.Site.Audit.ToList(), entry => entry is { Action: "publish", Target: "plant/locked/door", Actor: "admin-token" });
        // Signed tokens publish as their user.
        Assert.Equal("not-permitted", await ApiHost.ProblemAsync(_host.Client("a.signed.token"), "POST", "/topics/plant/locked/door", "1"));
        Assert.Equal(200, (await ApiHost.AskAsync(_host.Client("a.signed.token"), "POST", "/topics/plant/x", "1")).Status);
    }

    [Fact]
    public async Task Without_a_login_a_listener_lets_in_whom_it_says()
    {
        await _host.StartAsync();
        Assert.Equal("login-needed", await ApiHost.ProblemAsync(_host.Client(null), "POST", "/topics/plant/x", "1"));
        Assert.Equal("login-failed", await ApiHost.ProblemAsync(_host.User("anna", "wrong"), "POST", "/topics/plant/x", "1"));
        await using var open = new ApiHost();
        await open.StartAsync(anonymous: true);
        Assert.Equal(200, (await ApiHost.AskAsync(open.Client(null), "POST", "/topics/plant/x", "1")).Status);
    }

    [Fact]
    public async Task A_value_is_kept_read_and_deleted()
    {
        await _host.StartAsync();
        HttpClient anna = _host.User("anna");
        using var content = new StringContent("<b>21.5</b>", Encoding.UTF8, "text/html");
        using HttpResponseMessage put = await anna.PostAsync("/topics/plant/a%2Fb/t?retain=true&qos=1", content);
        Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        // A slash is one however it is written: topics are levels.
        using HttpResponseMessage got = await anna.GetAsync("/topics/plant/a/b/t");
        Assert.Equal("<b>21.5</b>", await got.Content.ReadAsStringAsync());
        Assert.Equal("text/html", got.Content.Headers.ContentType!.MediaType);
        Assert.Equal("1", Assert.Single(got.Headers.GetValues("X-QoS")));
        // It may be a page; it must not act in this site's name.
        Assert.Contains("sandbox", Assert.Single(got.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        using HttpResponseMessage deleted = await anna.PostAsync("/topics/plant/a/b/t?retain=true", null);
        Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        Assert.Equal("no-retained-value", await ApiHost.ProblemAsync(anna, "GET", "/topics/plant/a/b/t"));
        Assert.Equal("not-permitted", await ApiHost.ProblemAsync(anna, "GET", "/topics/plant/locked/t"));
    }

    [Theory]
    [InlineData("/publish", "", "invalid-body")]
    [InlineData("/publish", "{", "invalid-body")]
    [InlineData("/publish", "[null]", null)]
    [InlineData("/publish", "null", "invalid-body")]
    [InlineData("/publish", """{"payload":"x"}""", "invalid-body")]
    [InlineData("/publish", """{"topic":"plant/t","payloadd":"x"}""", "invalid-body")]
    [InlineData("/publish", """{"topic":"plant/t","payload":"x","payload_base64":"eA=="}""", "invalid-body")]
    [InlineData("/publish", """{"topic":"plant/t","payload_base64":"!"}""", "invalid-body")]
    [InlineData("/publish", """{"topic":"plant/t","qos":3}""", "invalid-parameter")]
    [InlineData("/publish", """{"topic":"plant/t","qos":"1"}""", "invalid-body")]
    [InlineData("/publish", """{"topic":"plant/\ud800"}""", "invalid-body")]
    [InlineData("/publish", """{"topic":"plant/\u0000"}""", "invalid-topic")]
    [InlineData("/publish", """{"topic":"plant/+"}""", "invalid-topic")]
    [InlineData("/publish", """{"topic":""}""", "invalid-topic")]
    [InlineData("/publish", """{"topic":"plant/t","user_properties":[["a"]]}""", "invalid-body")]
    [InlineData("/publish", """{"topic":"plant/t","payload_base64":"/w==","payload_format":"utf-8"}""", "invalid-body")]
    [InlineData("/topics/plant/t?qos=3", "x", "invalid-parameter")]
    [InlineData("/topics/plant/t?retian=true", "x", "invalid-parameter")]
    [InlineData("/topics/plant/%23", "x", "invalid-topic")]
    [InlineData("/topics/plant/%", "x", "invalid-path")]
    [InlineData("/topics/", "x", "invalid-topic")]
    public async Task What_is_malformed_is_refused_in_words(string path, string body, string? problem)
    {
        await _host.StartAsync();
        if (problem is null) Assert.Equal(200, (await ApiHost.AskAsync(_host.User("anna"), "POST", path, body)).Status);
        else Assert.Equal(problem, await ApiHost.ProblemAsync(_host.User("anna"), "POST", path, body));
        Assert.Equal(0, _host.Web.Broker.Faults);
    }

    [Fact]
    public async Task Bodies_are_what_the_broker_takes_and_of_the_right_type()
    {
        await _host.StartAsync(limits: TestBrokerOptions.Quiet with { MaxPacketSizeBytes = 1000 });
        HttpClient anna = _host.User("anna");
        Assert.Equal("too-large", await ApiHost.ProblemAsync(anna, "POST", "/topics/plant/t", new string('x', 1001)));
        Assert.Equal("too-large", await ApiHost.ProblemAsync(anna, "POST", "/publish", $$"""{"topic":"plant/t","payload":"{{new string('x', 1000)}}"}"""));
        using HttpResponseMessage form = await anna.PostAsync("/publish", new StringContent("{}", Encoding.UTF8, "text/plain"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, form.StatusCode);
        Assert.Equal(200, (await ApiHost.AskAsync(anna, "POST", "/topics/plant/t", new string('x', 900))).Status);
        Assert.Equal("wrong-method", await ApiHost.ProblemAsync(anna, "POST", "/topics/plant/t/events", "1"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_s_rate_holds_over_its_requests(bool rightsAreMadeAnew)
    {
        _host.MakesRightsAnew = rightsAreMadeAnew;
        await _host.StartAsync();
        _host.Web.Broker.Limits.Replace(new Core.Limits.LimitOptions
        {
            PublishesPerClient = new Core.Limits.RateLimit(1, TimeSpan.FromHours(1), 3),
        });
        HttpClient anna = _host.User("anna");
        for (int i = 0; i < 3; i++) Assert.Equal(200, (await ApiHost.AskAsync(anna, "POST", "/topics/plant/t", "1")).Status);
        Assert.Equal("quota", await ApiHost.ProblemAsync(anna, "POST", "/topics/plant/t", "1"));
        Assert.Equal(200, (await ApiHost.AskAsync(_host.User("bert"), "POST", "/topics/plant/t", "1")).Status);
    }

    [Fact]
    public async Task What_stays_is_on_the_account_of_whoever_publishes_it()
    {
        await _host.StartAsync();
        _host.Web.Broker.Limits.Replace(new Core.Limits.LimitOptions { MaxRetainedPerUser = 1 });
        HttpClient anna = _host.User("anna");
        Assert.Equal(200, (await ApiHost.AskAsync(anna, "POST", "/topics/plant/t?retain=true", "1")).Status);
        Assert.Equal("quota", await ApiHost.ProblemAsync(anna, "POST", "/topics/plant/u?retain=true", "1"));
        Assert.Equal(200, (await ApiHost.AskAsync(_host.User("bert"), "POST", "/topics/plant/u?retain=true", "1")).Status);
    }

    [Fact]
    public async Task A_body_of_which_too_much_would_become_is_refused_before_it_does()
    {
        await _host.StartAsync();
        HttpClient anna = _host.User("anna");
        string one = """{"topic":"plant/t"}""";
        string many = string.Join(',', Enumerable.Repeat(one, 101));
        Assert.Equal("invalid-body", await ApiHost.ProblemAsync(anna, "POST", "/publish", $"[{many}]"));
        (int status, JsonElement outcomes) = await ApiHost.AskAsync(anna, "POST", "/publish", $"[{many[..^20]}]");
        Assert.Equal((200, 100), (status, outcomes.GetArrayLength()));
        string pairs = string.Join(',', Enumerable.Repeat("[]", 60_000));
        (status, JsonElement problem) = await ApiHost.AskAsync(anna, "POST", "/publish", $$"""{"topic":"plant/t","user_properties":[{{pairs}}]}""");
        Assert.Equal(400, status);
        Assert.Contains("more than 100000", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        // What is published as it stands is no object of ours.
        Assert.Equal(200, (await ApiHost.AskAsync(anna, "POST", "/publish", $$"""{"topic":"plant/t","payload_json":[{{pairs}}]}""")).Status);
        Assert.Equal("invalid-body", await ApiHost.ProblemAsync(anna, "POST", "/publish", $$"""{"topic":"plant/t","payload_json":[{{pairs}}"""));
        Assert.Equal("invalid-body", await ApiHost.ProblemAsync(anna, "POST", "/publish", """{"topic":"plant/\ud800"}"""));
        Assert.Equal("invalid-body", await ApiHost.ProblemAsync(anna, "POST", "/publish", """{"topic":"plant/t","payload":"\udc00"}"""));
    }

    [Fact]
    public async Task What_is_asked_for_twice_under_one_key_is_done_once()
    {
        await _host.StartAsync();
        using LocalClient subscriber = Subscriber();
        HttpClient anna = _host.User("anna");
        const string Body = """{"topic":"plant/t","payload":"1","qos":1}""";
        (string, string) key = ("Idempotency-Key", "order-7");
        Task<(int Status, JsonElement Body)>[] racing = [.. Enumerable.Range(0, 8).Select(_ => ApiHost.AskAsync(anna, "POST", "/publish", Body, key))];
        foreach (Task<(int Status, JsonElement Body)> one in racing) Assert.Equal(200, (await one).Status);
        Read(subscriber);
        Assert.Equal(0, subscriber.QueuedMessages);
        Assert.Equal("key-reused", await ApiHost.ProblemAsync(anna, "POST", "/publish", Body.Replace("\"1\"", "\"2\"", StringComparison.Ordinal), key));
        // Somebody else's key is another one, and so is the next.
        Assert.Equal(200, (await ApiHost.AskAsync(_host.User("bert"), "POST", "/publish", Body, key)).Status);
        Assert.Equal(200, (await ApiHost.AskAsync(anna, "POST", "/topics/plant/t", "3", ("Idempotency-Key", "order-8"))).Status);
        using var again = new HttpRequestMessage(HttpMethod.Post, "/topics/plant/t") { Content = new StringContent("3", Encoding.UTF8, "application/json") };
        again.Headers.Add("Idempotency-Key", "order-8");
        using HttpResponseMessage replayed = await anna.SendAsync(again);
        Assert.Equal("true", Assert.Single(replayed.Headers.GetValues("Idempotency-Replayed")));
        Read(subscriber);
        Read(subscriber);
        Assert.Equal(0, subscriber.QueuedMessages);
        // What is refused is not done, and may be asked for again.
        (string, string) refused = ("Idempotency-Key", "order-9");
        Assert.Equal("not-permitted", await ApiHost.ProblemAsync(anna, "POST", "/topics/plant/locked/x", "1", refused));
        Assert.Equal(200, (await ApiHost.AskAsync(anna, "POST", "/topics/plant/t", "4", refused)).Status);
        Assert.Equal("invalid-parameter", await ApiHost.ProblemAsync(anna, "POST", "/topics/plant/t", "1", ("Idempotency-Key", new string('k', 65))));
    }

    [Fact]
    public void Keys_are_bounded_and_forgotten()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var keys = new IdempotencyKeys(time);
        for (int i = 0; i < 20_000; i++)
        {
            Assert.True(keys.TryClaim("anna", "key" + i, [1], 1, out IdempotentAnswer claim));
            keys.Settle("anna", "key" + i, claim, new byte[100]);
        }

        Assert.InRange(keys.Count, 5_000, 10_000);
        Assert.False(keys.TryClaim("anna", "key19999", [1], 1, out _));
        Assert.True(keys.TryClaim("bert", "key19999", [1], 1, out IdempotentAnswer other));
        keys.Settle("bert", "key19999", other, [1]);
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.True(keys.TryClaim("anna", "key19999", [1], 1, out _));
        Assert.Equal(1, keys.Count);
    }

    [Fact]
    public async Task Those_who_read_topics_leave_streams_to_those_who_look_after_the_broker()
    {
        await _host.StartAsync(anonymous: true);
        HttpClient nobody = _host.Client(null);
        var open = new List<HttpResponseMessage>();
        for (int i = 0; i < 24; i++) open.Add(await nobody.GetAsync("/topics/plant/%23/events", HttpCompletionOption.ResponseHeadersRead));
        Assert.All(open, response => Assert.True(response.IsSuccessStatusCode));
        Assert.Equal("too-many-requests", await ApiHost.ProblemAsync(nobody, "GET", "/topics/plant/%23/events"));
        using HttpResponseMessage console = await _host.Client().GetAsync("/api/v1/stream?channels=events", HttpCompletionOption.ResponseHeadersRead);
        Assert.True(console.IsSuccessStatusCode);
        open.ForEach(response => response.Dispose());
    }

    [Fact]
    public async Task Live_messages_stream_until_their_reader_may_not_read_them()
    {
        await _host.StartAsync();
        HttpClient anna = _host.User("anna");
        await ApiHost.AskAsync(anna, "POST", "/topics/plant/a/kept?retain=true", "old");
        using HttpResponseMessage response = await anna.GetAsync("/topics/plant/a/%2B/events?retained=true", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("""{"topic":"plant/a/kept","qos":0,"retain":true,"payload":"old","content_type":"application/json; charset=utf-8"}""",
            await EventAsync(reader, "message"));
        await ApiHost.AskAsync(_host.User("bert"), "POST", "/topics/plant/a/live", "new");
        Assert.Equal("""{"topic":"plant/a/live","qos":0,"retain":false,"payload":"new","content_type":"application/json; charset=utf-8"}""",
            await EventAsync(reader, "message"));
        _host.Removed.Add("anna");
        _host.Web.Site.Review();
        Assert.Equal("""{"cause":"not permitted any more"}""", await EventAsync(reader, "bye"));
        Assert.Null(await Deadline.Within(reader.ReadLineAsync(), "the end") is { Length: > 0 } more ? more : null);
        await Deadline.Until(() => _host.Web.Site.Streams.Count == 0, "the stream's end");
        Assert.Equal("not-permitted", await ApiHost.ProblemAsync(anna, "GET", "/topics/plant/locked/a/events"));
        Assert.Equal("invalid-filter", await ApiHost.ProblemAsync(anna, "GET", "/topics/plant/%23/a/events"));
    }

    // A stream that lives says something again and again: the wait for one thing is bounded as a whole.
    private static Task<string> EventAsync(StreamReader reader, string kind) => Deadline.Within(FindAsync(reader, kind), "the event " + kind);

    private static async Task<string> FindAsync(StreamReader reader, string kind)
    {
        while (true)
        {
            string? line = await reader.ReadLineAsync();
            Assert.NotNull(line);
            if (line != "event: " + kind) continue;
            string? data = await reader.ReadLineAsync();
            return data!["data: ".Length..];
        }
    }

    private LocalClient Subscriber()
    {
        LocalClient client = _host.Web.Broker.OpenLocal("test", new LocalClientOptions());
        client.Subscribe("#", new SubscriptionOptions(QoS.ExactlyOnce));
        return client;
    }

    private static Message Read(LocalClient client)
    {
        Assert.True(client.TryRead(out LocalDelivery delivery));
        return delivery.Message;
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
