using System.Net;
using EdgeBroker.Console.Tests.Rig;

namespace EdgeBroker.Console.Tests;

/// <summary>The console on the broker itself.</summary>
[Collection(BrowserCollection.Name)]
public sealed class BrokerTests(Chromium chromium)
{
    [Fact]
    public async Task The_page_is_served_with_what_protects_it_and_its_parts_are_kept()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        using var client = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.None }) { BaseAddress = broker.Site };
        using HttpResponseMessage page = await client.GetAsync("/");
        string text = await page.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Equal("no-cache", page.Headers.CacheControl!.ToString());
        string policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(page.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("no-referrer", Assert.Single(page.Headers.GetValues("Referrer-Policy")));

        string script = System.Text.RegularExpressions.Regex.Match(text, "src=\"(/console-[^\"]+\\.js)\"").Groups[1].Value;
        using var request = new HttpRequestMessage(HttpMethod.Get, script);
        request.Headers.AcceptEncoding.ParseAdd("gzip");
        using HttpResponseMessage part = await client.SendAsync(request);
        Assert.Equal(["gzip"], part.Content.Headers.ContentEncoding);
        Assert.Contains("immutable", part.Headers.CacheControl!.ToString(), StringComparison.Ordinal);

        using var again = new HttpRequestMessage(HttpMethod.Get, "/");
        again.Headers.IfNoneMatch.Add(page.Headers.ETag!);
        using HttpResponseMessage unchanged = await client.SendAsync(again);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
    }

    [Fact]
    public async Task The_first_link_lets_in_once()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(hasUsers: false);
        string line = await broker.Process.LineAsync(one => one.Contains("#once=", StringComparison.Ordinal));
        string link = line[(line.IndexOf("/#once=", StringComparison.Ordinal))..].Trim();
        await using (ConsolePage page = await chromium.OpenAsync(broker.Site, View.Desktop))
        {
            await page.OpenAsync(link);
            await page.SeesAsync("Keep access");
            await page.ScreenshotAsync("keep-access");
            page.IsClean();
        }

        await using ConsolePage other = await chromium.OpenAsync(broker.Site, View.Desktop);
        await other.OpenAsync(link);
        await other.SeesAsync("This link was used or is too old.");
    }

    [Fact]
    public async Task A_wrong_password_is_said_and_after_six_of_them_that_one_has_to_wait()
    {
        // Two a minute: whoever has spent six would wait longer than anybody waits for an answer.
        const string slow = "[limits]\nauth_failures_per_ip = { rate = \"2/m\", burst = 6 }\n";
        await using RunningBroker broker = await RunningBroker.StartAsync(more: slow);
        await using ConsolePage page = await chromium.OpenAsync(broker.Site, View.Desktop);
        await page.GoAsync("");
        await page.FillAsync("User", "anna");
        for (int i = 0; i < 6; i++)
        {
            await page.FillAsync("Password", "wrong");
            await page.ClickAsync("Log in");
            await page.SeesAsync("User or password is wrong.");
        }

        await page.ClickAsync("Log in");
        await page.SeesAsync("Too many tries. Wait");
        Assert.False(await page.HasButtonAsync("Log in"));
        await page.ScreenshotAsync("real-too-many-tries");
        // Whoever runs the broker lets it look again.
        string text = await System.IO.File.ReadAllTextAsync(broker.File);
        const string never = "[limits]\nauth_failures_per_ip = { rate = \"0/s\" }\n";
        await System.IO.File.WriteAllTextAsync(broker.File, text.Replace(slow, never, StringComparison.Ordinal));
        await broker.ReloadAsync();
        await broker.Process.LineAsync(line => line.Contains("applied: ", StringComparison.Ordinal));
        await page.ReloadAsync();
        await page.LogInAsync("anna", "right");
        await page.SeesAsync("All good.");
        page.IsClean();
    }

    [Fact]
    public async Task A_client_appears_and_is_kicked()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        await using ConsolePage page = await chromium.OpenAsync(broker.Site, View.Desktop);
        await page.LogInAsync("anna", "right");
        await page.GoAsync("clients");
        await page.SeesAsync("No client has connected yet.");
        EdgeBroker.Client.MqttClient client = await broker.ConnectAsync("a/b%2F+#");
        await page.SeesAsync("a/b%2F+#");
        await page.ScreenshotAsync("real-clients");
        await page.ClickAsync("Kick a/b%2F+#");
        await page.ClickAsync("Kick");
        await page.SeesAsync("a/b%2F+# was disconnected");
        await Assert.ThrowsAsync<EdgeBroker.Client.MqttException>(() => client.Completion.WaitAsync(TimeSpan.FromSeconds(30)));
        page.IsClean();
    }

    [Fact]
    public async Task The_workbench_publishes_and_hears_it_and_a_refusal_leads_to_its_rule()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(more: """
            [[acl]]
            topics = ["secret/#"]
            deny = ["publish"]
            [[acl]]
            allow = ["publish", "subscribe", "retain"]
            topics = ["#"]
            """);
        await using ConsolePage page = await chromium.OpenAsync(broker.Site, View.Desktop);
        await page.LogInAsync("anna", "right");
        await page.GoAsync("workbench");
        await page.SeesAsync("connected as anna");
        await page.FillAsync("Subscribe to", "plant/#");
        await page.ClickAsync("Subscribe");
        await page.SeesAsync("QoS 0 · 0");
        await page.FillAsync("Topic", "plant/cmd");
        await page.FillAsync("Value", "{\"go\":true}");
        await page.EvaluateAsync(
            "[...document.querySelectorAll('.send select')].forEach(e => { e.value = '2'; e.dispatchEvent(new Event('change', { bubbles: true })); })");
        await page.ClickAsync("Properties");
        await page.ClickAsync("Add a user property");
        await page.FillAsync("Name", "key");
        await page.EvaluateAsync("document.querySelector('details .grow input').focus()");
        await page.TypeAsync("its value");
        await page.ClickAsync("Publish");
        await page.SeesAsync("the broker has it");
        await page.SeesAsync("1 received");
        await page.ScreenshotAsync("real-workbench");
        await page.ClickAsync("plant/cmd");
        await page.SeesAsync("its value");
        await page.PressAsync("Escape");

        await page.FillAsync("Topic", "secret/x");
        await page.ClickAsync("Publish");
        await page.SeesAsync("refused:");
        await page.ClickAsync("open in the ACL tester");
        await page.SeesAsync("Denied");
        await page.ScreenshotAsync("real-tester");
        page.IsClean();
    }

    [Fact]
    public async Task A_retained_value_is_deleted_and_put_back()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        await broker.PublishAsync("plant/t", "21.5", retain: true);
        await using ConsolePage page = await chromium.OpenAsync(broker.Site, View.Desktop);
        await page.LogInAsync("anna", "right");
        await page.GoAsync("topics?mode=retained");
        await page.ClickAsync("plant/t");
        await page.SeesAsync("21.5");
        await page.ClickAsync("Delete retained");
        await page.SeesAsync("No value is retained here.");
        await page.ClickAsync("Undo");
        await page.SeesAsync("The value is back");
        await page.SeesAsync("21.5");
        await page.ScreenshotAsync("real-retained");
        page.IsClean();
    }

    [Fact]
    public async Task What_is_published_is_seen_in_the_tree_of_topics()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        await broker.PublishAsync("plant/press7/kept", "1", retain: true);
        await using ConsolePage page = await chromium.OpenAsync(broker.Site, View.Desktop);
        await page.LogInAsync("anna", "right");
        await page.GoAsync("topics?filter=plant%2F%23");
        await page.SeesAsync("listening to plant/#");
        await page.UntilAsync("!!document.querySelector('[role=treeitem][data-topic=plant]')", "the branch does not come");
        await page.EvaluateAsync("document.querySelector('[role=treeitem][data-topic=plant]').focus()");
        await page.PressAsync("ArrowRight");
        await page.PressAsync("ArrowRight");
        await page.PressAsync("ArrowRight");
        await page.SeesAsync("kept");
        await broker.PublishAsync("plant/press7/live", "on");
        await page.SeesAsync("live");
        await page.ScreenshotAsync("real-topics");
        page.IsClean();
    }

    [Fact]
    public async Task A_bad_file_is_read_line_by_line_before_it_can_do_harm()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        await using ConsolePage page = await chromium.OpenAsync(broker.Site, View.Desktop);
        await page.LogInAsync("anna", "right");
        await page.GoAsync("system");
        string good = await System.IO.File.ReadAllTextAsync(broker.File);
        await System.IO.File.WriteAllTextAsync(broker.File, good + "\n[limits]\nmax_sesions = 5\n");
        await page.ClickAsync("Check");
        await page.SeesAsync("max_sesions");
        Assert.False(await page.HasButtonAsync("Reload"));
        await page.ScreenshotAsync("real-bad-file");
        await System.IO.File.WriteAllTextAsync(broker.File, good + "\n[limits]\nmax_sessions = 5000\n");
        await page.ClickAsync("Check");
        await page.SeesAsync("No errors.");
        await System.IO.File.WriteAllTextAsync(broker.File, good + "\n[limits]\nmax_sessions = 6000\n");
        await page.ClickAsync("Reload");
        await page.SeesAsync("takes over what the files say");
        await page.ClickAsync("Reload");
        await page.SeesAsync("The files changed since the check.");
        page.IsClean();
    }

    [Fact]
    public async Task Every_page_of_a_real_broker_is_without_errors()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        await broker.ConnectAsync("press7");
        await using ConsolePage page = await chromium.OpenAsync(broker.Site, View.Phone);
        await page.LogInAsync("anna", "right");
        foreach (string address in new[]
        {
            "overview", "problems", "clients/press7", "clients/press7?tab=subscriptions", "clients/press7?tab=history", "clients/nobody", "queues", "bridges",
            "cluster", "access", "log", "system", "system?tab=certificates", "system?tab=listeners", "system?tab=limits", "system?tab=memory",
            "system?tab=audit",
            "system?tab=about",
        })
        {
            await page.GoAsync(address);
            await page.UntilAsync("!document.querySelector('main .skeleton')", $"{address} does not come");
            await page.ScreenshotAsync("real-" + new string([.. address.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]));
            Assert.Empty(await page.BarriersAsync());
        }

        page.IsClean();
    }
}
