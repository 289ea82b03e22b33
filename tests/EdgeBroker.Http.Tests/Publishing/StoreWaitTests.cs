using System.Text.Json;
using EdgeBroker.Core.Ports;
using EdgeBroker.Http.Publishing;
using EdgeBroker.Http.Routing;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Http.Tests.Publishing;

/// <summary>Publishing over HTTP while the store takes nothing, or takes long.</summary>
public sealed class StoreWaitTests : IAsyncDisposable
{
    private const string Value = """{"topic":"plant/t","payload":"1","qos":1,"retain":true}""";
    private static readonly (string Name, string Value) Key = ("Idempotency-Key", "order-7");

    private readonly FakeTimeProvider _time = new();
    private readonly TestJournal _journal = new();
    private readonly ApiHost _host;

    public StoreWaitTests() => _host = new ApiHost(_time, _journal);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private int Stored => _journal.Facts.Count(fact => fact == "Save plant/t");

    /// <summary>The clock stands still: nobody waits.</summary>
    [Theory]
    [InlineData(JournalCondition.Full, "store-full", "storage.max_bytes")]
    [InlineData(JournalCondition.Failing, "store-failing", "cannot be written")]
    public async Task A_store_that_takes_nothing_is_told_at_once(JournalCondition condition, string kind, string why)
    {
        await _host.StartAsync();
        _journal.Condition = condition;
        (int status, JsonElement problem) = await PublishAsync(Value);
        Assert.Equal((503, "urn:edgebroker:problem:" + kind, 151), (status, problem.GetProperty("type").GetString(),
            problem.GetProperty("reason_code").GetInt32()));
        Assert.Contains(why, Detail(problem), StringComparison.Ordinal);
        Assert.EndsWith("; the message is not taken", Detail(problem), StringComparison.Ordinal);
        Assert.Empty(_journal.Facts);
    }

    [Theory]
    [InlineData("POST", "/publish", Value)]
    [InlineData("POST", "/topics/plant/t?qos=1&retain=true", "1")]
    [InlineData("PUT", "/api/v1/retained/plant%2Ft", """{"payload":"1","qos":1}""")]
    public async Task A_store_that_takes_long_is_not_waited_for_for_ever(string method, string path, string body)
    {
        await _host.StartAsync();
        (int status, JsonElement problem) = await LateAsync(ApiHost.AskAsync(_host.Client(), method, path, body));
        Assert.Equal(503, status);
        Assert.Equal("the store is behind with writing; the message may be there all the same once it can", Detail(problem));
        Assert.Equal(1, Stored);
    }

    [Fact]
    public async Task Who_asks_again_under_its_key_waits_for_the_same_message()
    {
        await _host.StartAsync();
        for (int i = 0; i < 2; i++)
        {
            (int status, JsonElement problem) = await LateAsync(PublishAsync(Value, Key));
            Assert.Equal(503, status);
            Assert.Contains("may be there all the same", Detail(problem), StringComparison.Ordinal);
            Assert.Equal(1, Stored);
        }

        Task<(int Status, JsonElement Body)> last = PublishAsync(Value, Key);
        _journal.Commit();
        (int done, JsonElement answer) = await Deadline.Within(last, "the answer");
        Assert.Equal((200, "accepted"), (done, answer.GetProperty("outcome").GetString()));
        Assert.Equal(1, Stored);
    }

    [Fact]
    public async Task What_a_bad_store_has_refused_is_done_under_the_same_key_when_it_is_well()
    {
        await _host.StartAsync();
        _journal.Condition = JournalCondition.Failing;
        Assert.Equal(503, (await PublishAsync(Value, Key)).Status);
        Assert.Equal(0, Stored);
        _journal.Condition = JournalCondition.Ready;
        Task<(int Status, JsonElement Body)> again = PublishAsync(Value, Key);
        await Deadline.Until(() => Stored == 1, "the message");
        _journal.Commit();
        Assert.Equal(200, (await Deadline.Within(again, "the answer")).Status);
    }

    [Fact]
    public async Task Of_several_none_is_tried_once_the_time_is_up()
    {
        await _host.StartAsync();
        const string Next = """{"topic":"plant/next","payload":"1","qos":1,"retain":true}""";
        (int status, JsonElement outcomes) = await LateAsync(PublishAsync($$"""[{"topic":"plant/first"},{{Value}},{{Next}},{{Next}}]"""));
        Assert.Equal(200, status);
        Assert.Equal(["accepted", "unknown", "refused", "refused"], outcomes.EnumerateArray().Select(one => one.GetProperty("outcome").GetString()));
        Assert.Contains("may be there all the same", Detail(outcomes[1]), StringComparison.Ordinal);
        Assert.Equal((503, "the store is behind with writing; the message was not tried"), (outcomes[2].GetProperty("status").GetInt32(), Detail(outcomes[2])));
        _journal.Commit();
        Assert.Equal(["Save plant/t"], _journal.Facts);
    }

    [Fact]
    public async Task Several_under_a_key_go_on_when_nobody_waits()
    {
        await _host.StartAsync();
        string several = $"[{Value},{Value.Replace("plant/t", "plant/next", StringComparison.Ordinal)}]";
        Assert.Equal(503, (await LateAsync(PublishAsync(several, Key))).Status);
        _journal.Commit();
        await Deadline.Until(() => _journal.Facts.Contains("Save plant/next"), "the second message");
        _journal.Commit();
        (int status, JsonElement outcomes) = await Deadline.Within(PublishAsync(several, Key), "the answer");
        Assert.Equal(200, status);
        Assert.Equal(["accepted", "accepted"], outcomes.EnumerateArray().Select(one => one.GetProperty("outcome").GetString()));
        Assert.Equal(2, _journal.Facts.Count);
    }

    [Fact]
    public async Task The_broker_stops_while_something_is_under_way()
    {
        await _host.StartAsync();
        Assert.Equal(503, (await LateAsync(PublishAsync(Value, Key))).Status);
        await Deadline.Within(_host.Web.Server.StopAsync(Deadline.Timeout, TimeProvider.System), "the end");
        _journal.Commit();
        Assert.Equal(0, _host.Web.Broker.Faults);
    }

    [Fact]
    public void What_is_under_way_keeps_its_key_and_is_bounded()
    {
        var keys = new IdempotencyKeys(_time);
        Assert.True(keys.TryClaim("anna", "first", [1], 1, out IdempotentAnswer first));
        for (int i = 0; i < 20_000; i++)
        {
            Assert.True(keys.TryClaim("anna", "key" + i, [1], 1, out IdempotentAnswer claim));
            keys.Settle("anna", "key" + i, claim, new byte[100]);
        }

        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.False(keys.TryClaim("anna", "first", [1], 1, out IdempotentAnswer known));
        Assert.Same(first, known);
        var open = new List<IdempotentAnswer> { first };
        while (open.Count < 1_000) open.Add(Claim("open" + open.Count, 1));
        Assert.Equal(ProblemKind.Busy, Assert.Throws<HttpProblem>(() => Claim("one more", 1)).Kind);
        keys.Settle("anna", "first", first, [1]);
        IdempotentAnswer large = Claim("large", 15 * 1024 * 1024);
        keys.Settle("anna", "open1", open[1], null);
        Assert.Equal(ProblemKind.Busy, Assert.Throws<HttpProblem>(() => Claim("large too", 2 * 1024 * 1024)).Kind);
        keys.Settle("anna", "large", large, null);
        Claim("large too", 2 * 1024 * 1024);

        IdempotentAnswer Claim(string key, int bytes)
        {
            Assert.True(keys.TryClaim("anna", key, [1], bytes, out IdempotentAnswer claim));
            return claim;
        }
    }

    private static string Detail(JsonElement problem) => problem.GetProperty("detail").GetString()!;

    private Task<(int Status, JsonElement Body)> PublishAsync(string body, params (string Name, string Value)[] headers) =>
        ApiHost.AskAsync(_host.User("anna"), "POST", "/publish", body, headers);

    /// <summary>Moves the clock until there is an answer.</summary>
    private async Task<(int Status, JsonElement Body)> LateAsync(Task<(int Status, JsonElement Body)> asking)
    {
        await Deadline.AdvanceUntil(_time, () => asking.IsCompleted, "the answer");
        return await asking;
    }
}
