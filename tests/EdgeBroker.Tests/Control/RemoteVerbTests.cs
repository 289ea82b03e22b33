using System.Text.Json;
using EdgeBroker.Testing;
using EdgeBroker.Tests.Reloading;

namespace EdgeBroker.Tests.Control;

/// <summary>The verbs over HTTP: the same questions, and the same answers.</summary>
public sealed class RemoteVerbTests
{
    private const string Http = "[[listener]]\nprotocol = \"http\"\naddress = \"127.0.0.1:0\"\n";
    private const string Settings =
        "[[listener]]\nprotocol = \"mqtt\"\naddress = \"127.0.0.1:0\"\n" + Http + "[http]\nadmin_token = { file = \"admin.token\" }\n";
    private const string Token = "a-token-of-the-tests-0123456789";

    [Fact]
    public async Task What_the_socket_answers_is_answered_over_HTTP()
    {
        await using BrokerInProcess broker = await StartAsync();
        TestClient client = await broker.ConnectAsync("plant/press 7%");
        await client.SubscribeAsync("plant/#", 1);
        Assert.Matches(@"^edgebroker \S+ on n, up ", Said(broker, 0, "status"));
        Assert.Equal("good\n", Said(broker, 0, "health"));
        Assert.Contains("plant/press 7%", Said(broker, 0, "clients", "plant/*", "--connected"), StringComparison.Ordinal);
        Assert.Contains("0 sessions", Said(broker, 0, "clients", "nobody*"), StringComparison.Ordinal);
        Assert.Contains("plant/#", Said(broker, 0, "session", "plant/press 7%"), StringComparison.Ordinal);
        Assert.Matches(@"plant/press 7% +plant/# +1 ", Said(broker, 0, "subscriptions", "plant/x"));
        await client.PublishAsync("plant/kept", "71.5", retain: true);
        await client.FenceAsync();
        Assert.Contains("plant/kept", Said(broker, 0, "retained", "plant/+"), StringComparison.Ordinal);
        Assert.Contains("\"payload\":\"NzEuNQ==\"", Said(broker, 0, "retained", "get", "plant/kept", "--json"), StringComparison.Ordinal);
        Assert.Equal(0, Run(broker, out _, "retained", "delete", "plant/kept"));
        Assert.Equal("plant/press 7% is disconnected\n", Said(broker, 0, "kick", "plant/press 7%"));
        string refused = "";
        await Deadline.Until(() => Run(broker, out refused, "kick", "plant/press 7%") == 1, "the session's end");
        Assert.Contains("there is no session of plant/press 7%", refused, StringComparison.Ordinal);
        broker.Configure(Settings + "[mqtt]\nmax_qos = 9\n");
        Assert.Equal(78, Run(broker, out string wrong, "reload"));
        Assert.Contains("\"max_qos\" expects", wrong, StringComparison.Ordinal);
        Assert.Contains("broker.toml:", wrong, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_has_no_token_is_told_where_it_goes()
    {
        await using BrokerInProcess broker = await StartAsync();
        using var said = new StringWriter();
        Assert.Equal(1, broker.Run(said, said, "clients", "--url", Url(broker)));
        Assert.Contains("answers 401", said.ToString(), StringComparison.Ordinal);
        Assert.Contains("--token-file", said.ToString(), StringComparison.Ordinal);
        Assert.Equal(64, broker.Run(said, said, "clients", "--token", Token));
        Assert.Equal(64, broker.Run(said, said, "clients", "--url", "gw"));
        Assert.Equal(1, broker.Run(said, said, "health", "--url", "http://127.0.0.1:1"));
        Assert.DoesNotContain(Token, broker.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_numbers_are_the_same_members_as_JSON()
    {
        await using BrokerInProcess broker = await StartAsync();
        await broker.ConnectAsync("press7");
        using var near = new StringWriter();
        Assert.Equal(0, broker.Run(near, near, "clients", "--json", "--data-dir", broker.DataDirectory));
        JsonElement one = JsonDocument.Parse(near.ToString()).RootElement.GetProperty("items")[0];
        JsonElement other = JsonDocument.Parse(Said(broker, 0, "clients", "--json")).RootElement.GetProperty("items")[0];
        Assert.Equal(one.EnumerateObject().Select(member => member.Name), other.EnumerateObject().Select(member => member.Name));
    }

    [Fact]
    public async Task Top_shows_what_flows_near_and_far()
    {
        await using BrokerInProcess broker = await StartAsync();
        TestClient client = await broker.ConnectAsync("press7");
        await client.PublishAsync("plant/x", "1");
        await client.FenceAsync();
        using var near = new StringWriter();
        Assert.Equal(0, broker.Run(near, near, "top", "--interval", "0.2", "--data-dir", broker.DataDirectory));
        const string Head = @"^n up \d+ s  good  1 clients  in 0\.0  out \d+\.\d  drop 0\.0  [\d:]+ UTC\nmemory [^\n]+\n";
        Assert.Matches(Head + @"CLIENT +IN/s +OUT/s +QUEUE +DROPS +FROM\npress7 +0\.0 ", near.ToString());
        JsonElement frame = JsonDocument.Parse(Said(broker, 0, "top", "press*", "--interval", "0.2", "--sort", "queue", "--json")).RootElement;
        Assert.Equal("press7", frame.GetProperty("clients")[0].GetProperty("session").GetProperty("client_id").GetString());
    }

    [Fact]
    public async Task A_link_is_printed_that_lets_a_browser_in_once()
    {
        await using BrokerInProcess broker = await StartAsync();
        using var said = new StringWriter();
        Assert.Equal(0, broker.Run(said, said, "console", "--data-dir", broker.DataDirectory));
        string link = said.ToString().Split(' ')[0];
        Assert.StartsWith(Url(broker) + "/#once=", link, StringComparison.Ordinal);
        using var http = new HttpClient { BaseAddress = new Uri(Url(broker)) };
        string body = JsonSerializer.Serialize(new Dictionary<string, string> { ["once"] = link.Split("#once=")[1] });
        using HttpResponseMessage first = await http.PostAsync("/api/v1/login", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal(200, (int)first.StatusCode);
        Assert.Contains("\"role\":\"admin\"", await first.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using HttpResponseMessage again = await http.PostAsync("/api/v1/login", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal(401, (int)again.StatusCode);
        Assert.DoesNotContain(link.Split("#once=")[1], broker.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_has_one_level_whoever_sets_it()
    {
        const string Path = "/api/v1/log/levels";
        await using BrokerInProcess broker = await StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(Url(broker)) };
        http.DefaultRequestHeaders.Add("Authorization", "Bearer " + Token);
        using var said = new StringWriter();
        Assert.Equal(0, broker.Run(said, said, "log-level", "all", "error", "--data-dir", broker.DataDirectory));
        using HttpResponseMessage before = await http.GetAsync(Path);
        Assert.Contains("\"level\":\"error\"", await before.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var change = new HttpRequestMessage(HttpMethod.Put, Path)
        {
            Content = new StringContent("{\"level\":\"debug\",\"until_seconds\":600}", System.Text.Encoding.UTF8, "application/json"),
        };
        change.Headers.IfMatch.Add(before.Headers.ETag!);
        using HttpResponseMessage after = await http.SendAsync(change);
        Assert.Matches("\"level\":\"debug\".*\"until_seconds\":(600|599)", await after.Content.ReadAsStringAsync());
        said.GetStringBuilder().Clear();
        Assert.Equal(0, broker.Run(said, said, "log-level", "--json", "--data-dir", broker.DataDirectory));
        Assert.Contains("\"area\":\"all\",\"level\":\"debug\"", said.ToString(), StringComparison.Ordinal);
    }

    private static async Task<BrokerInProcess> StartAsync()
    {
        var broker = new BrokerInProcess();
        broker.Directory.Write("admin.token", Token + "\n");
        File.SetUnixFileMode(Path.Combine(broker.Directory.Path, "admin.token"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        broker.Configure(Settings);
        broker.Start();
        await broker.AnswersAsync();
        return broker;
    }

    private static string Url(BrokerInProcess broker) => $"http://127.0.0.1:{broker.Port("http")}";

    private static int Run(BrokerInProcess broker, out string said, params string[] arguments)
    {
        using var output = new StringWriter();
        int exit = broker.Run(output, output, [.. arguments, "--url", Url(broker), "--token-file", "admin.token"]);
        said = output.ToString();
        return exit;
    }

    private static string Said(BrokerInProcess broker, int exit, params string[] arguments)
    {
        int found = Run(broker, out string said, arguments);
        Assert.True(found == exit, said);
        return said;
    }
}
