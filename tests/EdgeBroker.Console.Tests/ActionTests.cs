using EdgeBroker.Console.Tests.Rig;

namespace EdgeBroker.Console.Tests;

/// <summary>What the console does when somebody presses something, and how it behaves when the broker says no or nothing.</summary>
[Collection(BrowserCollection.Name)]
public sealed class ActionTests(Chromium chromium) : IDisposable
{
    private readonly RecordedApi _api = new();

    public void Dispose() => _api.Dispose();

    [Fact]
    public async Task A_kick_is_asked_about_done_and_said()
    {
        await using ConsolePage page = await InAsync("clients/press7");
        await page.ClickAsync("Kick");
        await page.SeesAsync("it may come back at once");
        Assert.DoesNotContain(_api.Changes, one => one.StartsWith("DELETE", StringComparison.Ordinal));
        await page.ClickAsync("Kick");
        await page.SeesAsync("press7 was disconnected");
        Assert.Contains("DELETE sessions/press7", _api.Changes);
        page.IsClean();
    }

    [Fact]
    public async Task A_refused_kick_stays_in_its_dialog_with_the_cause()
    {
        _api.Refuse("DELETE sessions/press7", 412, "changed-meanwhile", "it connected again meanwhile");
        await using ConsolePage page = await InAsync("clients/press7");
        await page.ClickAsync("Kick");
        await page.SeesAsync("it may come back at once");
        await page.ClickAsync("Kick");
        await page.SeesAsync("it connected again meanwhile");
        await page.PressAsync("Escape");
        await page.SeesNotAsync("it connected again meanwhile");
        // The focus is back where it was.
        Assert.Equal("Kick", await page.EvaluateAsync<string>("document.activeElement.innerText"));
    }

    [Fact]
    public async Task Forgetting_what_has_messages_needs_its_name_typed()
    {
        await using ConsolePage page = await InAsync("clients/press7");
        await page.ClickAsync("Forget…");
        await page.SeesAsync("214 waiting messages");
        Assert.False(await page.HasButtonAsync("Forget"));
        await page.FillAsync("Type the client id", "press");
        Assert.False(await page.HasButtonAsync("Forget"));
        await page.FillAsync("Type the client id", "press7");
        Assert.True(await page.HasButtonAsync("Forget"));
        await page.ClickAsync("Cancel");
        Assert.DoesNotContain(_api.Changes, one => one.StartsWith("DELETE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_deleted_value_comes_back_with_its_properties()
    {
        await using ConsolePage page = await InAsync("topics/plant%2Ft");
        await page.ClickAsync("Delete retained");
        await page.SeesAsync("Deleted the retained value of plant/t");
        await page.ClickAsync("Undo");
        await page.SeesAsync("The value is back");
        string put = Assert.Single(_api.Changes, one => one.StartsWith("PUT", StringComparison.Ordinal));
        Assert.Equal("""PUT retained/plant%2Ft {"payload":"21.5","qos":1,"content_type":"text/plain","user_properties":[["k","v"]]}""", put);
        page.IsClean();
    }

    [Fact]
    public async Task A_newer_value_is_left_alone_by_Undo()
    {
        _api.Refuse("PUT retained/plant%2Ft", 412, "changed-meanwhile");
        await using ConsolePage page = await InAsync("topics/plant%2Ft");
        await page.ClickAsync("Delete retained");
        await page.ClickAsync("Undo");
        await page.SeesAsync("A newer value came meanwhile; nothing was put back.");
    }

    [Fact]
    public async Task Files_with_errors_are_shown_by_line_and_not_reloaded()
    {
        _api.Answer("POST config/check", """{"valid":false,"errors":["broker.toml:33:7: unknown key","broker.toml:40:1: a value is missing"]}""");
        await using ConsolePage page = await InAsync("system");
        Assert.False(await page.HasButtonAsync("Reload"));
        await page.ClickAsync("Check");
        await page.SeesAsync("broker.toml:33:7");
        await page.SeesAsync("broker.toml:40:1");
        Assert.False(await page.HasButtonAsync("Reload"));

        _api.Answer("POST config/check", """{"valid":true,"errors":[],"changes":["limits.max_sessions = 5000"]}""");
        await page.ClickAsync("Check");
        await page.SeesAsync("No errors.");
        await page.SeesAsync("limits.max_sessions = 5000");
        _api.Refuse("POST reload", 412, "changed-meanwhile");
        await page.ClickAsync("Reload");
        await page.SeesAsync("takes over what the files say");
        await page.ClickAsync("Reload");
        await page.SeesAsync("The files changed since the check.");
        Assert.False(await page.HasButtonAsync("Reload"));
    }

    [Fact]
    public async Task All_is_done_by_keyboard()
    {
        await using ConsolePage page = await chromium.OpenAsync(_api.Site, View.Desktop);
        await page.GoAsync("");
        await page.UntilAsync("document.activeElement.name === 'user'", "the user's field has no focus");
        await page.TypeAsync("anna");
        await page.PressAsync("Tab");
        await page.TypeAsync("right");
        await page.PressAsync("Enter");
        await page.SeesAsync("server.crt ends in 5 days");
        await page.PressAsync("/");
        await page.TypeAsync("press");
        await page.PressAsync("Enter");
        await page.SeesAsync("10.0.0.3:51558");
        await page.EvaluateAsync("document.querySelector('a.row').focus()");
        await page.PressAsync("ArrowDown");
        Assert.Contains("lathe/3", await page.EvaluateAsync<string>("document.activeElement.innerText"), StringComparison.Ordinal);
        await page.PressAsync("ArrowUp");
        await page.PressAsync("Enter");
        await page.SeesAsync("it does not acknowledge");
        page.IsClean();
    }

    [Fact]
    public async Task A_broker_that_is_gone_is_said_and_is_found_again()
    {
        await using ConsolePage page = await InAsync("overview");
        await page.SeesAsync("server.crt ends in 5 days");
        _api.Stop();
        await page.SeesAsync("No answer from gw-017");
        await page.ScreenshotAsync("no-answer");
        _api.Start();
        await page.SeesNotAsync("No answer from gw-017");
    }

    private async Task<ConsolePage> InAsync(string view)
    {
        ConsolePage page = await chromium.OpenAsync(_api.Site, View.Desktop);
        await page.LogInAsync("anna", "right");
        await page.GoAsync(view);
        return page;
    }
}
