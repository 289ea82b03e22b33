using PuppeteerSharp;

namespace EdgeBroker.Console.Tests.Rig;

/// <summary>The browser, started once for all tests; each page has cookies and storage of its own.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string[] Paths = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private IBrowser? _browser;

    /// <summary>Starts it.</summary>
    public async Task InitializeAsync()
    {
        string path = Environment.GetEnvironmentVariable("CHROMIUM") ?? Array.Find(Paths, File.Exists)
            ?? throw new InvalidOperationException("There is no Chromium here: scripts/setup.sh installs it.");
        _browser = await Puppeteer.LaunchAsync(new LaunchOptions
        {
            ExecutablePath = path,
            Headless = true,
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--disable-dev-shm-usage",
            ],
        });
    }

    /// <summary>Opens a page of its own.</summary>
    internal async Task<ConsolePage> OpenAsync(Uri site, View view)
    {
        IBrowserContext context = await _browser!.CreateBrowserContextAsync();
        IPage page = await context.NewPageAsync();
        await page.SetViewportAsync(new ViewPortOptions { Width = view.Width, Height = view.Height, DeviceScaleFactor = view.Zoom });
        ICDPSession session = await page.CreateCDPSessionAsync();
        await session.SendAsync("Emulation.setEmulatedMedia", new
        {
            features = new[] { new { name = "prefers-color-scheme", value = view.Scheme }, new { name = "prefers-reduced-motion", value = view.Motion } },
        });
        return new ConsolePage(context, page, site, view);
    }

    /// <summary>Ends it.</summary>
    public async Task DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
    }
}

/// <summary>How large a screen is, and whether it is dark.</summary>
internal sealed record View(string Name, int Width, int Height, string Scheme = "light", double Zoom = 1, string Motion = "reduce")
{
    public static View Desktop { get; } = new("desktop", 1280, 800);

    public static View Phone { get; } = new("phone", 360, 740);

    public static View Dark { get; } = new("dark", 1280, 800, "dark");

    public static View Of(string name) => name switch
    {
        "desktop" => Desktop,
        "phone" => Phone,
        "dark" => Dark,
        "narrow" => new View("narrow", 320, 640),
        // A desktop's window: zoomed, it has so many pixels of the page, each drawn larger.
        "zoom200" => new View("zoom200", 640, 400, Zoom: 2),
        "zoom400" => new View("zoom400", 320, 200, Zoom: 4),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such view"),
    };
}

/// <summary>Tests that use the browser, one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class BrowserCollection : ICollectionFixture<Chromium>
{
    /// <summary>Its name.</summary>
    public const string Name = "browser";
}
