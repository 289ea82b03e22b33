using EdgeBroker.Console.Tests.Rig;

namespace EdgeBroker.Console.Tests;

/// <summary>Every page, over recorded answers: what it shows, and that everybody can use it on every screen.</summary>
[Collection(BrowserCollection.Name)]
public sealed class PageTests(Chromium chromium) : IDisposable
{
    private readonly RecordedApi _api = new();

    public void Dispose() => _api.Dispose();

    public static TheoryData<string> Views => ["desktop", "phone", "dark", "narrow", "zoom200", "zoom400"];

    [Theory]
    [MemberData(nameof(Views))]
    public async Task No_page_has_a_barrier_or_is_wider_than_the_screen(string view)
    {
        await using ConsolePage page = await chromium.OpenAsync(_api.Site, View.Of(view));
        await page.GoAsync("");
        var barriers = new List<string>();
        await LookAsync("login", "Use a token instead");
        await page.LogInAsync("anna", "right");
        // Each page on the two screens that people have; of the others one page of each kind.
        bool isWhole = view is "desktop" or "phone";
        foreach ((string address, string sign) in Pages.Where(one => isWhole || OfEachKind.Contains(one.Address)))
        {
            await page.GoAsync(address);
            await LookAsync(address, sign);
        }

        Assert.Empty(barriers);
        page.IsClean();

        async Task LookAsync(string address, string sign)
        {
            await page.SeesAsync(sign);
            await page.ScreenshotAsync(new string([.. address.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]));
            barriers.AddRange((await page.BarriersAsync()).Select(one => $"{address}: {one}"));
        }
    }

    private static readonly string[] OfEachKind = ["overview", "clients", "clients/press7", "topics/plant%2Ft", "access", "log", "system"];

    private static readonly (string Address, string Sign)[] Pages =
    [
        ("overview", "server.crt ends in 5 days"), ("problems", "What helps: renew it"), ("clients", "10.0.0.3:51558"),
        ("clients/press7", "it does not acknowledge"),
        ("clients/press7?tab=subscriptions", "press7/cmd/#"), ("clients/press7?tab=queue", "press7/cmd/go"),
        ("clients/press7?tab=history", "ended by the broker: administrative action (anna)"), ("clients/press7?tab=limits", "publishes_per_client"),
        ("topics", "Listen to everything"), ("topics?filter=%23", "odd\\x1b[0m"), ("topics/plant%2Ft", "+0.1"), ("topics?mode=retained", "1 value"),
        ("queues", "drop oldest"),
        ("bridges", "Refused since"), ("cluster", "stands alone"), ("access", "the password is wrong"),
        ("access?tab=tester&action=publish&topic=a%2Fb", "rule 4, broker.toml:61"), ("log", "connected\\x1b[31m from"), ("system", "mqtt.max_queued_messages"),
        ("system?tab=certificates", "CN=Plant CA"), ("system?tab=listeners", "0.0.0.0:8883"), ("system?tab=limits", "max_sessions"),
        ("system?tab=memory", "38 MB"), ("system?tab=webhooks", "No webhook is configured"), ("workbench", "Subscribe to a topic"),
        ("system?tab=audit", "session.kick"), ("system?tab=backup", "Make a copy"),
        ("system?tab=about", "api version"),
    ];

    [Theory]
    [InlineData("reduce", "none 0s")]
    [InlineData("no-preference", "appear 0.2s")]
    public async Task Nothing_moves_for_whoever_asks_for_that(string motion, string expected)
    {
        await using ConsolePage page = await chromium.OpenAsync(_api.Site, View.Desktop with { Motion = motion });
        await page.LogInAsync("anna", "right");
        string seen = await page.EvaluateAsync<string>("""
            (() => {
              const one = document.body.appendChild(Object.assign(document.createElement('div'), { className: 'skeleton' }));
              const other = document.body.appendChild(Object.assign(document.createElement('div'), { className: 'waiting' }));
              return `${getComputedStyle(one).animationName} ${getComputedStyle(other).transitionDuration}`;
            })()
            """);
        Assert.Equal(expected, seen);
    }

    [Fact]
    public async Task What_others_wrote_is_text()
    {
        await using ConsolePage page = await InAsync();
        await page.GoAsync("clients");
        await page.SeesAsync("<img src=x onerror=alert(1)>");
        await page.SeesAsync("\\u202eevil");
        Assert.Equal(0, await page.EvaluateAsync<int>("document.querySelectorAll('main img').length"));
        foreach (string id in new[] { "a/b%2F+#", "..", "<img src=x onerror=alert(1)>" })
        {
            string text = System.Text.Json.JsonSerializer.Serialize(id);
            await page.EvaluateAsync($"[...document.querySelectorAll('a.row')].find(e => e.innerText.trim().endsWith({text})).click()");
            await page.UntilAsync($"document.querySelector('main h1').innerText === {text}", $"{id} did not open");
            await page.GoAsync("clients");
            await page.SeesAsync("10.0.0.3:51558");
        }

        page.IsClean();
    }

    [Fact]
    public async Task A_page_says_what_this_broker_does_not_have_and_what_it_refuses()
    {
        _api.Refuse("GET bridges", 404, "no-such-endpoint");
        _api.Refuse("GET queues", 503, "busy", "two scans are running");
        await using ConsolePage page = await InAsync();
        await page.GoAsync("bridges");
        await page.SeesAsync("This broker does not have this");
        await page.GoAsync("queues");
        await page.SeesAsync("two scans are running");
        await page.SeesAsync("request r-7");
        _api.Answer("GET queues", """{"items":[],"page":{"limit":1,"next":null}}""");
        await page.ClickAsync("Try again");
        await page.SeesAsync("Nothing waits anywhere");
        page.IsClean();
    }

    [Fact]
    public async Task A_wrong_password_is_said_and_too_many_are_waited_for()
    {
        await using ConsolePage page = await chromium.OpenAsync(_api.Site, View.Desktop);
        await page.GoAsync("");
        await page.FillAsync("User", "anna");
        await page.FillAsync("Password", "wrong");
        await page.ClickAsync("Log in");
        await page.SeesAsync("User or password is wrong.");
        _api.Refuse("POST login", 429, "too-many-requests");
        await page.ClickAsync("Log in");
        await page.SeesAsync("Too many tries. Wait");
        Assert.False(await page.HasButtonAsync("Log in"));
    }

    [Fact]
    public async Task A_used_link_says_so_and_is_in_no_history()
    {
        _api.Refuse("POST login", 401, "login-failed");
        await using ConsolePage page = await chromium.OpenAsync(_api.Site, View.Desktop);
        await page.OpenAsync("/#once=K7Q2-M4XR-9TBD-W3HN");
        await page.SeesAsync("This link was used or is too old. edgebroker console prints a new one.");
        Assert.DoesNotContain("once", await page.EvaluateAsync<string>("location.href"), StringComparison.Ordinal);
        Assert.Contains(_api.Changes, one => one.Contains("K7Q2-M4XR-9TBD-W3HN", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_login_that_ended_is_asked_for_over_the_page_which_stays()
    {
        await using ConsolePage page = await InAsync();
        await page.GoAsync("clients/press7");
        await page.SeesAsync("it does not acknowledge");
        _api.EndLogin();
        await page.SeesAsync("The login has ended");
        await page.FillAsync("Password", "right");
        await page.ClickAsync("Log in");
        await page.SeesNotAsync("The login has ended");
        await page.SeesAsync("it does not acknowledge");
        page.IsClean();
    }

    [Fact]
    public async Task A_viewer_sees_no_button_that_would_be_refused()
    {
        _api.Role = "viewer";
        await using ConsolePage page = await InAsync();
        await page.GoAsync("clients/press7");
        await page.SeesAsync("it does not acknowledge");
        Assert.False(await page.HasButtonAsync("Kick"));
        await page.GoAsync("topics/plant%2Ft");
        await page.SeesAsync("Operators see payloads.");
        Assert.False(await page.HasButtonAsync("Delete retained"));
        Assert.DoesNotContain("21.5", await page.TextAsync(), StringComparison.Ordinal);
        await page.GoAsync("system");
        await page.SeesAsync("Certificates");
        Assert.False(await page.HasButtonAsync("Configuration"));
    }

    private async Task<ConsolePage> InAsync()
    {
        ConsolePage page = await chromium.OpenAsync(_api.Site, View.Desktop);
        await page.LogInAsync("anna", "right");
        return page;
    }
}
