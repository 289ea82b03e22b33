using System.Collections.Specialized;
using System.Globalization;
using System.Text.Json;
using EdgeBroker.Client;
using EdgeBroker.Console.Tests.Rig;

namespace EdgeBroker.Console.Tests;

/// <summary>The console where there is much of something.</summary>
[Collection(BrowserCollection.Name)]
public sealed class LoadTests(Chromium chromium)
{
    private const double MostHeapBytes = 100 << 20;

    /// <summary>What a page asks of the broker, and keeps, does not grow with the sessions there are.</summary>
    [Fact]
    public async Task A_hundred_thousand_sessions_are_shown_searched_and_scrolled_through_page_by_page()
    {
        const int there = 100_000;
        using var api = new RecordedApi();
        int asked = 0;
        api.Answer("GET sessions", Make);
        await using ConsolePage page = await chromium.OpenAsync(api.Site, View.Desktop);
        await page.LogInAsync("anna", "right");
        await page.GoAsync("clients");
        await page.SeesAsync("100 of 100,000");
        await page.SeesAsync("client-000042");
        // To the end of what is there, again and again: each time the next page comes.
        for (int rows = 200; rows <= 1_000; rows += 100)
        {
            await page.EvaluateAsync("document.querySelector('main tbody tr:last-of-type, main .rows > :last-child')?.scrollIntoView()");
            await page.EvaluateAsync("scrollTo(0, document.documentElement.scrollHeight)");
            await page.UntilAsync(
                $"(parseInt(document.querySelector('main [role=status]').innerText.replace(',', ''), 10) >= {rows})", $"{rows} rows do not come");
        }

        await page.ScreenshotAsync("many-clients");
        Assert.InRange(await page.HeapBytesAsync(), 1, MostHeapBytes);
        await page.FillAsync("Search id, user, address", "client-098765");
        await page.SeesAsync("1 of 1");
        await page.SeesAsync("client-098765");
        // Ten pages, the search as it was typed, and the first page again every two seconds.
        Assert.True(asked < 400, $"{asked} requests");
        page.IsClean();

        string Make(NameValueCollection query)
        {
            Interlocked.Increment(ref asked);
            int limit = int.Parse(query["limit"] ?? "50", CultureInfo.InvariantCulture);
            int after = int.Parse(query["after"] ?? "0", CultureInfo.InvariantCulture);
            string q = query["q"] ?? "";
            int[] found = q.Length == 0 ? [.. Enumerable.Range(after, Math.Min(limit, there - after))]
                : [.. Enumerable.Range(0, there).Where(i => IdOf(i).Contains(q, StringComparison.Ordinal)).Skip(after).Take(limit)];
            int total = q.Length == 0 ? there : found.Length;
            string? next = found.Length == limit && after + limit < total ? (after + limit).ToString(CultureInfo.InvariantCulture) : null;
            return JsonSerializer.Serialize(new
            {
                items = found.Select(i => new
                {
                    client_id = IdOf(i),
                    state = "connected",
                    user = "anna",
                    address = "10.0.0.7:51558",
                    transport = "tls",
                    protocol = "5.0",
                    connected_at = "2026-11-29T09:31:45.002Z",
                    queue_messages = 0,
                    dropped_total = 0,
                }),
                page = new { limit, next, total_count = total, as_of_at = "2026-11-29T09:31:45.002Z" },
            });
        }
    }

    /// <summary>More messages than a browser could show: some are skipped, which is said; the page goes on, and keeps no more of them.</summary>
    [Fact]
    public async Task A_flood_of_messages_is_skipped_in_part_paused_and_does_not_fill_the_page()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        await using ConsolePage page = await chromium.OpenAsync(broker.Site, View.Desktop);
        await page.LogInAsync("anna", "right");
        await page.GoAsync("topics?filter=plant%2F%23");
        await page.SeesAsync("listening to plant/#");
        MqttClient plant = await broker.ConnectAsync("plant");
        using var over = new CancellationTokenSource();
        Task flood = FloodAsync(plant, over.Token);
        await page.SeesAsync("skipped");
        await page.ClickAsync("Pause");
        // What passes is counted, and what was shown stays.
        await page.UntilAsync("[...document.querySelectorAll('button')].some(e => /^Go on \\([0-9,]+ passed\\)$/.test(e.innerText))", "nothing passes");
        await page.EvaluateAsync("window.shown = document.querySelector('.master').innerText.match(/[0-9,]+ topics?/)?.[0] ?? ''");
        await page.UntilAsync(
            "(parseInt([...document.querySelectorAll('button')].find(e => e.innerText.startsWith('Go on')).innerText.replace(/[^0-9]/g, ''), 10) > 1000)",
            "too few pass");
        Assert.True(await page.EvaluateAsync<bool>("window.shown === (document.querySelector('.master').innerText.match(/[0-9,]+ topics?/)?.[0] ?? '')"));
        Assert.InRange(await page.HeapBytesAsync(), 1, MostHeapBytes);
        await page.EvaluateAsync("[...document.querySelectorAll('button')].find(e => e.innerText.startsWith('Go on')).click()");
        await page.UntilAsync("!!button('Pause')", "it does not go on");
        await page.GoAsync("clients");
        await page.SeesAsync("plant");
        await over.CancelAsync();
        await flood;
        page.IsClean();
    }

    private static string IdOf(int i) => string.Create(CultureInfo.InvariantCulture, $"client-{i:D6}");

    // As fast as the broker reads, on two thousand topics.
    private static async Task FloodAsync(MqttClient client, CancellationToken over)
    {
        byte[] payload = "21.5"u8.ToArray();
        for (int i = 0; !over.IsCancellationRequested; i = (i + 1) % 2_000)
        {
            await client.PublishAsync(new PublishMessage(string.Create(CultureInfo.InvariantCulture, $"plant/{i / 100}/{i}"), payload), CancellationToken.None);
        }
    }
}
