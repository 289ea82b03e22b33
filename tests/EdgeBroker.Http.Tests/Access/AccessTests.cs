using System.Net;
using System.Text.Json;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Routing;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Tests.Access;

/// <summary>Who is let in to what, and what no page of another site can have a browser do.</summary>
public sealed class AccessTests : IAsyncDisposable
{
    private readonly ApiHost _host = new();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Every_endpoint_wants_the_role_it_says()
    {
        await _host.StartAsync();
        // Asked as often as there are endpoints times callers.
        HttpEndpoint[] endpoints = [.. _host.Web.Site.Endpoints.Where(one =>
            one.Access is EndpointAccess.Viewer or EndpointAccess.Operator or EndpointAccess.Admin)];
        Assert.True(endpoints.Length >= 25);
        (string? Token, HttpRole Role)[] callers = [(ApiHost.ViewerToken, HttpRole.Viewer), (ApiHost.OperatorToken, HttpRole.Operator)];
        foreach (HttpEndpoint endpoint in endpoints)
        {
            string path = endpoint.Pattern.Replace("{client_id}", "x", StringComparison.Ordinal).Replace("{topic}", "x", StringComparison.Ordinal);
            foreach ((string? token, HttpRole role) in callers)
            {
                (int status, JsonElement body) = await Patience.AskAsync(
                    () => ApiHost.AskAsync(_host.Client(token), endpoint.Method, path), one => one.Status);
                string what = $"{endpoint.Method} {path} as {role}: {status} {body}";
                if (role < endpoint.Role) Assert.True(status == 403 && body.GetProperty("needs").GetString() == endpoint.Role.ToWord(), what);
                else Assert.True(status is not (401 or 500) && !(status == 403 && body.TryGetProperty("needs", out _)), what);
            }
        }
    }

    [Fact]
    public async Task Who_shows_nothing_or_something_wrong_hears_401_and_no_more()
    {
        await _host.StartAsync(anonymous: true);
        Assert.Equal("login-needed", await ApiHost.ProblemAsync(_host.Client(null), "GET", "/api/v1/overview"));
        Assert.Equal("login-failed", await ApiHost.ProblemAsync(_host.Client("forged"), "GET", "/api/v1/overview"));
        Assert.Equal("login-failed", await ApiHost.ProblemAsync(_host.User("anna", "wrong"), "GET", "/api/v1/overview"));
        Assert.Equal("login-needed", await ApiHost.ProblemAsync(_host.Client(null), "GET", "/api/v1/overview", null, ("Cookie", "eb=" + new string('a', 64))));
        // A signed token publishes; it administers nothing.
        Assert.Equal("login-failed", await ApiHost.ProblemAsync(_host.Client("a.signed.token"), "GET", "/api/v1/overview"));
        Assert.Equal("role-needed", await ApiHost.ProblemAsync(_host.User("nobody"), "GET", "/api/v1/overview"));
    }

    [Fact]
    public async Task A_program_is_asked_for_a_password_and_a_browser_is_not()
    {
        await _host.StartAsync();
        using HttpResponseMessage program = await _host.Client(null).GetAsync("/api/v1/overview");
        Assert.Equal("Basic", Assert.Single(program.Headers.WwwAuthenticate).Scheme);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/overview");
        request.Headers.Add("Sec-Fetch-Mode", "cors");
        using HttpResponseMessage browser = await _host.Client(null).SendAsync(request);
        Assert.Equal(HttpStatusCode.Unauthorized, browser.StatusCode);
        Assert.Empty(browser.Headers.WwwAuthenticate);
    }

    [Fact]
    public async Task A_login_lasts_until_it_is_ended_and_its_changes_need_the_token_of_the_page()
    {
        await _host.StartAsync();
        (HttpClient client, string cookie, string csrf) = await LogInAsync("anna");
        (int status, JsonElement me) = await ApiHost.AskAsync(client, "GET", "/api/v1/me", null, ("Cookie", cookie));
        Assert.Equal((200, "anna", "operator", "cookie"), (status, me.GetProperty("user").GetString(), me.GetProperty("role").GetString(),
            me.GetProperty("by").GetString()));

        string kick = "/api/v1/sessions/x";
        (string, string) own = ("Sec-Fetch-Site", "same-origin"), shown = ("X-CSRF-Token", csrf), held = ("Cookie", cookie);
        Assert.Equal("csrf", await ApiHost.ProblemAsync(client, "DELETE", kick, null, held, own));
        Assert.Equal("csrf", await ApiHost.ProblemAsync(client, "DELETE", kick, null, held, own, ("X-CSRF-Token", new string('0', 64))));
        Assert.Equal("cross-site", await ApiHost.ProblemAsync(client, "DELETE", kick, null, held, shown));
        Assert.Equal("cross-site", await ApiHost.ProblemAsync(client, "DELETE", kick, null, held, shown, ("Sec-Fetch-Site", "cross-site")));
        Assert.Equal("no-such-session", await ApiHost.ProblemAsync(client, "DELETE", kick, null, held, shown, own));
        Assert.Equal("no-such-session", await ApiHost.ProblemAsync(client, "DELETE", kick, null, held, shown, ("Origin", $"http://127.0.0.1:{_host.Port}")));

        Assert.Equal(204, (await ApiHost.AskAsync(client, "POST", "/api/v1/logout", null, held, shown, own)).Status);
        Assert.Equal("login-needed", await ApiHost.ProblemAsync(client, "GET", "/api/v1/me", null, held));
    }

    [Fact]
    public async Task A_login_ends_with_its_user_or_role()
    {
        await _host.StartAsync();
        (HttpClient client, string cookie, _) = await LogInAsync("anna");
        (HttpClient other, string otherCookie, _) = await LogInAsync("vera");
        _host.Removed.Add("anna");
        Assert.Equal("login-needed", await ApiHost.ProblemAsync(client, "GET", "/api/v1/me", null, ("Cookie", cookie)));
        _host.Web.Options.Current = _host.Web.Options.Current with { Groups = [] };
        Assert.Equal("login-needed", await ApiHost.ProblemAsync(other, "GET", "/api/v1/me", null, ("Cookie", otherCookie)));
    }

    [Fact]
    public async Task A_link_of_the_first_start_lets_in_once()
    {
        await _host.StartAsync();
        string body = $$"""{"once":"{{_host.Web.Site.Once.Issue()}}"}""";
        (int status, JsonElement me) = await ApiHost.AskAsync(_host.Client(null), "POST", "/api/v1/login", body);
        Assert.Equal((200, "admin"), (status, me.GetProperty("role").GetString()));
        Assert.Equal("login-failed", await ApiHost.ProblemAsync(_host.Client(null), "POST", "/api/v1/login", body));
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    public async Task A_page_of_another_site_does_nothing_with_what_a_browser_adds(string header, string value)
    {
        await _host.StartAsync(anonymous: true);
        Assert.Equal("cross-site", await ApiHost.ProblemAsync(_host.User("root"), "POST", "/api/v1/reload", null, (header, value)));
        Assert.Equal("cross-site", await ApiHost.ProblemAsync(_host.User("root"), "GET", "/api/v1/sessions", null, (header, value)));
        Assert.Equal("cross-site", await ApiHost.ProblemAsync(_host.Client(null), "POST", "/topics/plant/x", "1", (header, value)));
        Assert.Equal("cross-site", await ApiHost.ProblemAsync(_host.Client(null), "POST", "/api/v1/login", "{}", (header, value)));
        Assert.Contains(_host.Web.Site.Audit.ToList(), entry => entry is { Action: "reload", Status: 403 });
    }

    [Theory]
    [InlineData("rebound.example", false)]
    [InlineData("gw-test", true)]
    [InlineData("gw.plant.example", true)]
    [InlineData("localhost", true)]
    [InlineData("10.1.2.3", true)]
    [InlineData("[::1]", true)]
    public async Task A_name_that_is_not_the_broker_s_is_refused(string host, bool isKnown)
    {
        await _host.StartAsync();
        (int status, _) = await ApiHost.AskAsync(_host.Client(), "GET", "/api/v1/version", null, ("Host", $"{host}:{_host.Port}"));
        Assert.Equal(isKnown ? 200 : 421, status);
        Assert.Equal(200, (await ApiHost.AskAsync(_host.Client(null), "GET", "/live", null, ("Host", host))).Status);
    }

    [Fact]
    public async Task A_listener_serves_what_it_is_configured_for()
    {
        await _host.StartAsync(HttpSurfaces.Health);
        Assert.Equal("no-such-endpoint", await ApiHost.ProblemAsync(_host.Client(), "GET", "/api/v1/overview"));
        Assert.Equal("no-such-endpoint", await ApiHost.ProblemAsync(_host.Client(), "POST", "/publish", "{}"));
        Assert.Equal(200, (await ApiHost.AskAsync(_host.Client(null), "GET", "/health")).Status);
    }

    [Fact]
    public async Task Who_asks_too_often_is_told_when_to_come_again()
    {
        await _host.StartAsync();
        HttpClient client = _host.Client(ApiHost.ViewerToken);
        int refused = 0;
        for (int i = 0; i < 400 && refused == 0; i++)
        {
            using HttpResponseMessage response = await client.GetAsync("/api/v1/version");
            if (response.StatusCode != HttpStatusCode.TooManyRequests) continue;
            refused++;
            Assert.NotNull(response.Headers.RetryAfter);
        }

        Assert.Equal(1, refused);
        // Others are not held up.
        Assert.Equal(200, (await ApiHost.AskAsync(_host.Client(ApiHost.OperatorToken), "GET", "/api/v1/version")).Status);
    }

    private async Task<(HttpClient Client, string Cookie, string Csrf)> LogInAsync(string user)
    {
        HttpClient client = _host.Client(null);
        using HttpResponseMessage response = await client.PostAsync(
            "/api/v1/login", new StringContent($$"""{"user":"{{user}}","password":"geheim"}""", System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        string set = Assert.Single(response.Headers.GetValues("Set-Cookie"));
        Assert.Contains("httponly", set, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", set, StringComparison.OrdinalIgnoreCase);
        using JsonDocument me = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return (client, set.Split(';')[0], me.RootElement.GetProperty("csrf_token").GetString()!);
    }
}
