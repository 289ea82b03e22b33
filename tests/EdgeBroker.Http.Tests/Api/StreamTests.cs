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
        _host.LogLines = [new LogLine(8, DateTimeOffset.UnixEpoch, "error", "x", 1, "bad"), new LogLine(7, DateTimeOffset.UnixEpoch, "info", "x", 1, "good")];
        JsonElement refused = await EventAsync(reader, "event");
        Assert.Equal(("refused", "the password is wrong"), (refused.GetProperty("kind").GetString(), refused.GetProperty("explanation").GetString()));
        Assert.Equal("bad", (await EventAsync(reader, "log")).GetProperty("text").GetString());
        _host.Web.Options.Current = new HttpOptions();
        Assert.Equal("login ended", (await EventAsync(reader, "bye")).GetProperty("cause").GetString());
        await Deadline.Until(() => _host.Web.Site.Streams.Count == 0, "the stream's end");
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

    private static async Task<JsonElement> EventAsync(StreamReader reader, string kind)
    {
        while (true)
        {
            string? line = await Deadline.Within(reader.ReadLineAsync(), "an event");
            Assert.NotNull(line);
            if (line != "event: " + kind) continue;
            string? data = await Deadline.Within(reader.ReadLineAsync(), "its data");
            return JsonDocument.Parse(data!["data: ".Length..]).RootElement;
        }
    }
}
