using System.Text.Json;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Api;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Testing;

namespace EdgeBroker.Http.Tests.Api;

/// <summary>The stream a console lives on.</summary>
public sealed class StreamTests : IAsyncDisposable
{
    private readonly ApiHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task It_tells_what_happens_and_ends_with_the_right_to_it()
    {
        await _host.StartAsync();
        HttpClient viewer = _host.Client(ApiHost.ViewerToken);
        using HttpResponseMessage response = await viewer.GetAsync("/api/v1/stream?channels=overview,events,log:warning",
            HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        JsonElement overview = await EventAsync(reader, "overview");
        Assert.Equal("gw-test", overview.GetProperty("node").GetString());
        await ApiHost.ProblemAsync(_host.User("anna", "wrong"), "GET", "/api/v1/me");
        JsonElement refused = await EventAsync(reader, "event");
        Assert.Equal(("refused", "the password is wrong"), (refused.GetProperty("kind").GetString(), refused.GetProperty("explanation").GetString()));
        // Not before: a second that had told its events already would tell the log first.
        _host.LogLines = [new LogLine(8, DateTimeOffset.UnixEpoch, "error", "x", 1, "bad"), new LogLine(7, DateTimeOffset.UnixEpoch, "info", "x", 1, "good")];
        Assert.Equal("bad", (await EventAsync(reader, "log")).GetProperty("text").GetString());
        _host.Web.Options.Current = new HttpOptions();
        Assert.Equal("login ended", (await EventAsync(reader, "bye")).GetProperty("cause").GetString());
        await Deadline.Until(() => _host.Web.Site.Streams.Count == 0, "the stream's end");
    }

    [Fact]
    public async Task It_goes_on_where_one_before_broke_off_and_says_what_it_cannot_tell_any_more()
    {
        await _host.StartAsync();
        HttpClient viewer = _host.Client(ApiHost.ViewerToken);
        HttpClient wrong = _host.User("anna", "wrong");
        string place;
        using (HttpResponseMessage first = await viewer.GetAsync("/api/v1/stream?channels=events,log", HttpCompletionOption.ResponseHeadersRead))
        {
            using var reader = new StreamReader(await first.Content.ReadAsStreamAsync());
            Assert.Equal(":", await Deadline.Within(reader.ReadLineAsync(), "the beginning"));
            await ApiHost.ProblemAsync(wrong, "GET", "/api/v1/me");
            string? line = await Deadline.Within(reader.ReadLineAsync(), "an id");
            while (line?.StartsWith("id: ", StringComparison.Ordinal) != true) line = await Deadline.Within(reader.ReadLineAsync(), "an id");
            place = line["id: ".Length..];
        }

        for (int i = 0; i < 3; i++) await ApiHost.ProblemAsync(wrong, "GET", "/api/v1/me");
        _host.LogLines = [.. Enumerable.Range(1, 150).Reverse().Select(i => new LogLine(i, DateTimeOffset.UnixEpoch, "info", "x", 1, "line " + i))];
        using var again = new HttpRequestMessage(HttpMethod.Get, "/api/v1/stream?channels=events,log");
        again.Headers.TryAddWithoutValidation("Last-Event-ID", place);
        using HttpResponseMessage second = await viewer.SendAsync(again, HttpCompletionOption.ResponseHeadersRead);
        using var rest = new StreamReader(await second.Content.ReadAsStreamAsync());
        for (int id = 2; id <= 4; id++) Assert.Equal(id, (await EventAsync(rest, "event")).GetProperty("id").GetInt32());
        JsonElement gap = await EventAsync(rest, "gap");
        Assert.Equal(("log", 50), (gap.GetProperty("channel").GetString(), gap.GetProperty("skipped_count").GetInt32()));
        Assert.Equal("line 51", (await EventAsync(rest, "log")).GetProperty("text").GetString());
    }

    [Fact]
    public async Task There_are_so_many_and_one_more_is_told_to_ask_from_time_to_time()
    {
        await _host.StartAsync();
        HttpClient admin = _host.Client();
        var open = new List<HttpResponseMessage>();
        for (int i = 0; i < 32; i++) open.Add(await admin.GetAsync("/api/v1/stream?channels=events", HttpCompletionOption.ResponseHeadersRead));
        Assert.All(open, response => Assert.True(response.IsSuccessStatusCode));
        Assert.Equal("too-many-requests", await ApiHost.ProblemAsync(admin, "GET", "/api/v1/stream?channels=events"));
        open.ForEach(response => response.Dispose());
        await Deadline.Until(() => _host.Web.Site.Streams.Count == 0, "the streams' end");
        Assert.Equal("invalid-parameter", await ApiHost.ProblemAsync(admin, "GET", "/api/v1/stream?channels=everything"));
        Assert.Equal("invalid-parameter", await ApiHost.ProblemAsync(admin, "GET", "/api/v1/stream"));
    }

    // A stream that lives says something every second: the wait for one thing is bounded as a whole.
    private static Task<JsonElement> EventAsync(StreamReader reader, string kind) => Deadline.Within(FindAsync(reader, kind), "the event " + kind);

    private static async Task<JsonElement> FindAsync(StreamReader reader, string kind)
    {
        while (true)
        {
            string? line = await reader.ReadLineAsync();
            Assert.NotNull(line);
            if (line != "event: " + kind) continue;
            string? data = await reader.ReadLineAsync();
            return JsonDocument.Parse(data!["data: ".Length..]).RootElement;
        }
    }
}
