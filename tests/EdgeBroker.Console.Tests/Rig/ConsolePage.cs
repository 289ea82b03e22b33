using System.Collections.Concurrent;
using System.Text.Json;
using PuppeteerSharp;

namespace EdgeBroker.Console.Tests.Rig;

/// <summary>The console in a browser, used as a person does: by labels, names of buttons, and text.</summary>
internal sealed class ConsolePage : IAsyncDisposable
{
    // Generous for a busy machine; a test that passes never waits for it.
    private const int TimeoutMs = 30_000;

    private const string Seen = "document.body.innerText.replace(/\\s+/g, ' ')";

    // What is seen of an element: in the page, and neither hidden nor behind a dialog.
    private const string Find = """
        const seen = e => e.checkVisibility() && !e.closest('[inert]');
        const name = e => (e.getAttribute('aria-label') ?? e.innerText ?? '').trim();
        const scope = () => [...document.querySelectorAll('dialog[open]')].at(-1) ?? document;
        const button = text => [...scope().querySelectorAll('button, a, summary')].find(e => seen(e) && name(e) === text && !e.disabled);
        const field = text => {
            const label = [...scope().querySelectorAll('label')].find(e => seen(e) && e.querySelector('input, select, textarea') &&
                ((e.querySelector(':scope > span')?.innerText ?? e.innerText).trim().startsWith(text)));
            return label?.querySelector('input, select, textarea');
        };
        """;

    private readonly IBrowserContext _context;
    private readonly IPage _page;
    private readonly Uri _site;
    private readonly View _view;
    private readonly ConcurrentQueue<string> _wrong = new();

    public ConsolePage(IBrowserContext context, IPage page, Uri site, View view)
    {
        _context = context;
        _page = page;
        _site = site;
        _view = view;
        page.DefaultTimeout = TimeoutMs;
        page.Console += (_, e) =>
        {
            // The browser itself notes answers that say no; whether one was expected is the test's to say.
            if (e.Message.Type is ConsoleType.Error or ConsoleType.Warning && !e.Message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
            {
                _wrong.Enqueue($"console: {e.Message.Text}");
            }
        };
        page.PageError += (_, e) => _wrong.Enqueue($"error: {e.Message}");
        page.Request += (_, e) =>
        {
            string url = e.Request.Url;
            if (url.StartsWith("data:", StringComparison.Ordinal) || url.StartsWith("blob:", StringComparison.Ordinal)) return;
            if (new Uri(url).Authority != site.Authority) _wrong.Enqueue($"a request off the host: {url}");
        };
    }

    /// <summary>Goes to a view, as a link does: <c>clients/press7?tab=queue</c>.</summary>
    public async Task GoAsync(string view)
    {
        await _page.GoToAsync(new Uri(_site, $"/#/{view}").ToString());
        await _page.WaitForSelectorAsync("h1");
    }

    /// <summary>Opens an address of the site.</summary>
    public Task OpenAsync(string address) => _page.GoToAsync(new Uri(_site, address).ToString());

    /// <summary>Loads the page anew.</summary>
    public Task ReloadAsync() => _page.ReloadAsync();

    /// <summary>Logs in.</summary>
    public async Task LogInAsync(string user, string password)
    {
        await GoAsync("");
        await FillAsync("User", user);
        await FillAsync("Password", password);
        await ClickAsync("Log in");
        await _page.WaitForSelectorAsync("header.bar");
    }

    /// <summary>Presses what bears this name, once it is there and can be pressed.</summary>
    public async Task ClickAsync(string name)
    {
        await UntilAsync($"!!button({Json(name)})", $"nothing to press is called \"{name}\"");
        await EvaluateAsync($"{{ const e = button({Json(name)}); e.focus(); e.click(); }}");
    }

    /// <summary>Whether something that can be pressed bears this name.</summary>
    public Task<bool> HasButtonAsync(string name) => EvaluateAsync<bool>($"!!button({Json(name)})");

    /// <summary>Writes into the field of this label, in place of what is there.</summary>
    public async Task FillAsync(string label, string text)
    {
        await UntilAsync($"!!field({Json(label)})", $"no field is called \"{label}\"");
        await EvaluateAsync($"{{ const e = field({Json(label)}); e.focus(); e.select?.(); }}");
        await _page.Keyboard.PressAsync("Backspace");
        await _page.Keyboard.SendCharacterAsync(text);
    }

    /// <summary>Chooses in the list of this label.</summary>
    public async Task ChooseAsync(string label, string value)
    {
        await UntilAsync($"!!field({Json(label)})", $"no field is called \"{label}\"");
        await EvaluateAsync(
            $"{{ const e = field({Json(label)}); e.value = {Json(value)}; e.dispatchEvent(new Event('change', {{ bubbles: true }})); }}");
    }

    /// <summary>Types where the focus is.</summary>
    public Task TypeAsync(string text) => _page.Keyboard.TypeAsync(text);

    /// <summary>Presses a key.</summary>
    public Task PressAsync(string key) => _page.Keyboard.PressAsync(key);

    /// <summary>Waits until a text is seen, wherever its lines break.</summary>
    public Task SeesAsync(string text) =>
        UntilAsync($"{Seen}.includes({Json(text)})", $"\"{text}\" is not seen");

    /// <summary>Waits until a text is seen no more.</summary>
    public Task SeesNotAsync(string text) =>
        UntilAsync($"!{Seen}.includes({Json(text)})", $"\"{text}\" is still seen");

    /// <summary>All that is seen.</summary>
    public Task<string> TextAsync() => EvaluateAsync<string>("document.body.innerText");

    /// <summary>Waits for a condition of the page.</summary>
    public async Task UntilAsync(string condition, string otherwise)
    {
        try
        {
            var often = new WaitForFunctionOptions { Polling = WaitForFunctionPollingOption.Raf };
            await _page.WaitForFunctionAsync($"() => {{ {Find} return {condition}; }}", often);
        }
        catch (WaitTaskTimeoutException)
        {
            await ScreenshotAsync("failure");
            throw new TimeoutException($"{otherwise}; what is seen:\n{await TextAsync()}\n{string.Join('\n', _wrong)}");
        }
    }

    /// <summary>Runs a piece of script in the page.</summary>
    public Task<T> EvaluateAsync<T>(string expression) => _page.EvaluateFunctionAsync<T>($"() => {{ {Find} return {expression}; }}");

    /// <summary>Runs a piece of script in the page.</summary>
    public Task EvaluateAsync(string statement) => _page.EvaluateFunctionAsync($"() => {{ {Find} {statement} }}");

    /// <summary>Bytes of the page's script heap that are in use, after a collection.</summary>
    public async Task<double> HeapBytesAsync()
    {
        ICDPSession session = await _page.CreateCDPSessionAsync();
        await session.SendAsync("HeapProfiler.collectGarbage");
        return await EvaluateAsync<double>("performance.memory.usedJSHeapSize");
    }

    /// <summary>Runs a script in a page of another site, in the same browser with the same cookies.</summary>
    public async Task<T> FromAsync<T>(Uri site, string expression)
    {
        IPage other = await _context.NewPageAsync();
        try
        {
            await other.GoToAsync(site.ToString());
            return await other.EvaluateExpressionAsync<T>(expression).WaitAsync(TimeSpan.FromMilliseconds(2 * TimeoutMs));
        }
        finally
        {
            await other.CloseAsync();
        }
    }

    /// <summary>Opens the site in further tabs, all at once, and reads of each what it says once a condition holds there.</summary>
    public async Task<string[]> InTabsAsync(int count, string read, string until)
    {
        var tabs = new List<IPage>();
        try
        {
            for (int i = 0; i < count; i++)
            {
                IPage tab = await _context.NewPageAsync();
                tab.DefaultTimeout = TimeoutMs;
                tabs.Add(tab);
                await tab.GoToAsync(_site.ToString());
                // A timer: no frame is painted for a tab behind another.
                await tab.WaitForFunctionAsync($"() => {until}", new WaitForFunctionOptions { PollingInterval = 100 });
            }

            return await Task.WhenAll(tabs.Select(tab => tab.EvaluateExpressionAsync<string>(read)));
        }
        finally
        {
            foreach (IPage tab in tabs) await tab.CloseAsync();
        }
    }

    /// <summary>Keeps a picture of what is seen, under <c>artifacts/console</c>.</summary>
    public async Task ScreenshotAsync(string name)
    {
        string folder = Directory.CreateDirectory(Path.Combine(Here.Root, "artifacts", "console")).FullName;
        await _page.ScreenshotAsync(Path.Combine(folder, $"{name}-{_view.Name}.png"));
    }

    /// <summary>What axe finds wrong for people who see, hear or point otherwise, and what does not fit the screen's width.</summary>
    public async Task<string[]> BarriersAsync()
    {
        ICDPSession session = await _page.CreateCDPSessionAsync();
        await session.SendAsync("Runtime.evaluate", new { expression = Here.Axe });
        string[] found = await _page.EvaluateFunctionAsync<string[]>("""
            async () => (await axe.run(document, { resultTypes: ['violations'] })).violations
                .map(v => `${v.id}: ${v.nodes.map(n => `${n.target.join(' ')}: ${n.any[0]?.message ?? n.html}`).join(' | ')}`)
            """);
        int over = await EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth");
        return over > 0 ? [.. found, $"{over} pixels wider than the screen"] : found;
    }

    /// <summary>Nothing went wrong in the page, and it asked nobody else.</summary>
    public void IsClean() => Assert.Empty(_wrong);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _context.CloseAsync();

    private static string Json(string text) => JsonSerializer.Serialize(text);
}
