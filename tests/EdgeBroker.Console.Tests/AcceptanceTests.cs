using System.Net;
using System.Text;
using System.Text.Json;
using EdgeBroker.Client;
using EdgeBroker.Console.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Console.Tests;

/// <summary>What a technician comes with, on the broker itself: who was refused, who does not keep up, and what other sites try.</summary>
[Collection(BrowserCollection.Name)]
public sealed class AcceptanceTests(Chromium chromium)
{
    // So that many logins in a row fail at once.
    private const string NoGuard = """
        [limits]
        auth_failures_per_ip = { rate = "1000/s", burst = 1000 }
        """;

    [Fact]
    public async Task A_client_s_history_says_who_ended_its_connection()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        await using ConsolePage page = await chromium.OpenAsync(broker.Site, View.Desktop);
        MqttClient client = await broker.ConnectAsync("press7");
        await page.LogInAsync("anna", "right");
        await page.GoAsync("clients/press7");
        await page.ClickAsync("Kick");
        await page.ClickAsync("Kick");
        await page.SeesAsync("press7 was disconnected");
        await Assert.ThrowsAsync<MqttException>(() => client.Completion.WaitAsync(TimeSpan.FromSeconds(30)));
        await broker.ConnectAsync("press7");
        await page.GoAsync("clients/press7?tab=history");
        await page.SeesAsync("ended by the broker");
        await page.ScreenshotAsync("real-history");
        page.IsClean();
    }

    [Fact]
    public async Task Odd_ids_are_text_and_links_to_their_clients()
    {
        string[] ids = ["a/b%2F+#", "..", "<img src=x onerror=alert(1)>", "\u05d0\u05d1\u202e\u05d2", new string('x', 1_024)];
        await using RunningBroker broker = await RunningBroker.StartAsync();
        foreach (string id in ids) await broker.ConnectAsync(id);
        await using ConsolePage page = await chromium.OpenAsync(broker.Site, View.Desktop);
        await page.LogInAsync("anna", "right");
        await page.GoAsync("clients");
        await page.SeesAsync("<img src=x onerror=alert(1)>");
        await page.UntilAsync("document.querySelectorAll('main a[href*=\"#/clients/\"]').length >= 5", "not all five are listed");
        Assert.False(await page.EvaluateAsync<bool>("!!document.querySelector('main img')"));
        string[] links = await page.EvaluateAsync<string[]>("[...new Set([...document.querySelectorAll('main a[href*=\"#/clients/\"]')].map(a => a.href))]");
        Assert.Equal(5, links.Length);
        foreach (string link in links)
        {
            await page.GoAsync(new Uri(link).Fragment["#/".Length..]);
            await page.SeesAsync("Keep alive");
        }

        await page.GoAsync("clients");
        await page.ClickAsync("Kick ..");
        await page.ClickAsync("Kick");
        await page.SeesAsync(".. was disconnected");
        page.IsClean();
    }

    [Fact]
    public async Task Refusals_of_one_cause_are_one_row()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(more: NoGuard);
        for (int i = 0; i < 60; i++)
        {
            await using var client = new MqttClient(new MqttClientOptions
            {
                Transport = new TcpTransport("127.0.0.1", broker.MqttPort),
                ClientId = "press7",
                UserName = "anna",
                Password = "wrong"u8.ToArray(),
            });
            await Assert.ThrowsAsync<MqttException>(() => client.ConnectAsync());
        }

        await using ConsolePage page = await chromium.OpenAsync(broker.Site, View.Desktop);
        await page.LogInAsync("anna", "right");
        await page.GoAsync("access");
        await page.SeesAsync("press7");
        await page.UntilAsync(
            "[...document.querySelectorAll('main tr, main li')].filter(e => e.innerText.includes('press7')).map(e => e.innerText).join().includes('60')",
            "the row does not count 60");
        Assert.Equal(1, await page.EvaluateAsync<int>("[...document.querySelectorAll('main tbody tr')].filter(e => e.innerText.includes('press7')).length"));
        await page.ScreenshotAsync("real-refusals");
        page.IsClean();
    }

    [Fact]
    public async Task Whoever_does_not_acknowledge_is_first_among_the_queues_and_its_page_says_so()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        await using var stuck = new MqttClient(new MqttClientOptions
        {
            Transport = new TcpTransport("127.0.0.1", broker.MqttPort),
            ClientId = "stuck",
            AcknowledgeManually = true,
            ReceiveMaximum = 2,
            SessionExpirySeconds = 3600,
        });
        await stuck.ConnectAsync();
        await stuck.SubscribeAsync("plant/#", QoS.AtLeastOnce);
        MqttClient plant = await broker.ConnectAsync("plant");
        for (int i = 0; i < 12; i++) await plant.PublishAsync(new PublishMessage("plant/t", "x"u8.ToArray()) { QoS = QoS.AtLeastOnce });
        await using ConsolePage page = await chromium.OpenAsync(broker.Site, View.Desktop);
        await page.LogInAsync("anna", "right");
        await page.GoAsync("queues");
        await page.UntilAsync("document.querySelector('main tbody tr')?.innerText.includes('stuck')", "the queue is not first");
        await page.ScreenshotAsync("real-queues");
        await page.GoAsync("clients/stuck");
        await page.SeesAsync("it does not acknowledge");
        await page.GoAsync("clients/stuck?tab=queue");
        await page.SeesAsync("plant/t");
        await page.ClickAsync("Throw away…");
        await page.FillAsync("Type how many messages that are", "10");
        await page.ClickAsync("Throw away");
        await page.SeesAsync("The queue is empty");
        await page.SeesAsync("Nothing waits for it.");
        page.IsClean();
    }

    /// <summary>Of more tabs than one login may have streams, the others poll and say so; none hangs.</summary>
    [Fact]
    public async Task More_tabs_than_there_are_streams_poll_and_say_so()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        await using ConsolePage page = await chromium.OpenAsync(broker.Site, View.Desktop);
        await page.LogInAsync("anna", "right");
        string[] said = await page.InTabsAsync(
            6, "document.querySelector('footer').innerText", "/updated [0-9]/.test(document.querySelector('footer')?.innerText)");
        Assert.InRange(said.Count(text => text.Contains("live", StringComparison.Ordinal)), 0, 4);
        Assert.Contains(said, text => text.Contains("every 5 s", StringComparison.Ordinal));
        await page.SeesAsync("anna");
    }

    /// <summary>A page of another site, with the browser of somebody who is logged in: nothing is done, and the audit has it.</summary>
    [Fact]
    public async Task What_another_site_tries_is_refused_and_noted()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        await using var evil = EvilSite.Start();
        MqttClient victim = await broker.ConnectAsync("victim");
        await using ConsolePage page = await chromium.OpenAsync(broker.Site, View.Desktop);
        await page.LogInAsync("anna", "right");
        string api = new Uri(broker.Site, "/api/v1/").ToString();
        string[] outcomes = await page.FromAsync<string[]>(evil.Site, $$"""
            (async () => {
              const tried = (name, run) => run().then(() => name + ': got through', () => name + ': refused');
              const kick = '{{api}}sessions/victim';
              return Promise.all([
                tried('fetch', () => fetch('{{api}}overview', { credentials: 'include' }).then(r => r.text())),
                tried('delete', () => fetch(kick, { method: 'DELETE', credentials: 'include' }).then(r => { if (!r.ok) throw 0; })),
                tried('post', () => fetch('{{api}}reload', { method: 'POST', credentials: 'include', mode: 'no-cors' }).then(r => { throw 0; })),
                tried('stream', () => new Promise((yes, no) => {
                  const s = new EventSource('{{api}}stream?channels=overview', { withCredentials: true });
                  s.onopen = yes;
                  s.onerror = () => { s.close(); no(); };
                })),
                tried('socket', () => new Promise((yes, no) => {
                  const s = new WebSocket('{{api}}mqtt'.replace('http', 'ws'), 'mqtt');
                  s.onopen = yes;
                  s.onerror = no;
                })),
              ]);
            })()
            """);
        Assert.Equal(["fetch: refused", "delete: refused", "post: refused", "stream: refused", "socket: refused"], outcomes);
        await page.FromAsync<bool>(evil.Site, $$"""
            new Promise(done => {
              const frame = document.createElement('iframe');
              frame.name = 'hidden';
              document.body.append(frame);
              const form = document.createElement('form');
              Object.assign(form, { action: '{{api}}sessions/delete', method: 'post', enctype: 'text/plain', target: 'hidden' });
              form.innerHTML = '<input name=\'{"filter":{"client_id":"*"},"forget":true,"expect_count":1,"x":"\' value=\'"}\'>';
              document.body.append(form);
              frame.onload = () => done(true);
              form.submit();
            })
            """);
        Assert.False(victim.Completion.IsCompleted);
        await page.GoAsync("system?tab=audit");
        await page.SeesAsync("403");
        await page.ScreenshotAsync("real-audit");

        // A name that somebody has had point here.
        using var client = new HttpClient();
        using var rebound = new HttpRequestMessage(HttpMethod.Get, new Uri(broker.Site, "/api/v1/overview")) { Headers = { Host = "rebound.example" } };
        using HttpResponseMessage refused = await client.SendAsync(rebound);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, refused.StatusCode);
        using JsonDocument problem = JsonDocument.Parse(await refused.Content.ReadAsStringAsync());
        Assert.Equal("urn:edgebroker:problem:unknown-host", problem.RootElement.GetProperty("type").GetString());
        await page.SeesAsync("421");
    }

    [Fact]
    public async Task A_certificate_that_ends_soon_is_the_first_thing_said()
    {
        string folder = Directory.CreateTempSubdirectory("edgebroker-certificate-").FullName;
        try
        {
            // The broker is a process of its own and judges the certificate by the machine's clock.
            DateTimeOffset now = DateTimeOffset.UtcNow;
            using var key = System.Security.Cryptography.RSA.Create(2048);
            var request = new System.Security.Cryptography.X509Certificates.CertificateRequest(
                "CN=gw", key, System.Security.Cryptography.HashAlgorithmName.SHA256, System.Security.Cryptography.RSASignaturePadding.Pkcs1);
            using var certificate = request.CreateSelfSigned(now.AddDays(-30), now.AddDays(5).AddHours(1));
            string file = Path.Combine(folder, "server.crt"), keyFile = Path.Combine(folder, "server.key");
            await File.WriteAllTextAsync(file, certificate.ExportCertificatePem());
            await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem());
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(keyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            await using RunningBroker broker = await RunningBroker.StartAsync(more: $"""
                [[listener]]
                protocol = "mqtts"
                address = "127.0.0.1:0"
                allow_anonymous = true
                tls.cert = "{file}"
                tls.key = "{keyFile}"
                """);
            await using ConsolePage page = await chromium.OpenAsync(broker.Site, View.Desktop);
            await page.LogInAsync("anna", "right");
            await page.SeesAsync("1 warning: gw of mqtts on");
            await page.GoAsync("problems");
            await page.SeesAsync("is valid until");
            await page.ScreenshotAsync("real-certificate");
            page.IsClean();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The page, /ready, and whoever publishes over HTTP are told the same.</summary>
    [Fact]
    public async Task A_store_that_is_full_is_the_first_thing_said()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(more: """
            [storage]
            max_bytes = "16MB"
            """);
        using var http = new HttpClient { BaseAddress = broker.Site };
        http.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String("anna:right"u8));
        byte[] value = new byte[1024 * 1024];
        Random.Shared.NextBytes(value);
        (int status, string said) = (200, "");
        for (int i = 0; i < 40 && status == 200; i++) (status, said) = await PublishAsync(i);
        Assert.True(status == 503, $"{status} {said}");
        Assert.Contains("problem:store-full", said, StringComparison.Ordinal);
        Assert.Contains("storage.max_bytes", said, StringComparison.Ordinal);
        using HttpResponseMessage ready = await http.GetAsync("/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        using JsonDocument parts = JsonDocument.Parse(await ready.Content.ReadAsStringAsync());
        string detail = parts.RootElement.GetProperty("parts").EnumerateArray().First(part => part.GetProperty("status").GetString() == "failing")
            .GetProperty("detail").GetString()!;
        await using ConsolePage page = await chromium.OpenAsync(broker.Site, View.Desktop);
        await page.LogInAsync("anna", "right");
        await page.SeesAsync("1 problem: " + detail.Split(';')[0].Split(':')[0]);
        await page.GoAsync("problems");
        await page.SeesAsync(detail.Split(':')[0]);
        await page.ScreenshotAsync("real-store-full");
        page.IsClean();

        async Task<(int Status, string Said)> PublishAsync(int number)
        {
            using var body = new ByteArrayContent(value);
            using HttpResponseMessage answer = await http.PostAsync($"/topics/big/{number}?qos=1&retain=true", body);
            return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }
    }

    /// <summary>A site of somebody else's: one empty page.</summary>
    private sealed class EvilSite : IAsyncDisposable
    {
        private readonly System.Net.Sockets.TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task _serving;

        private EvilSite()
        {
            _listener.Start();
            // By a name, and so another site than the broker's address.
            Site = new Uri($"http://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
            _serving = ServeAsync();
        }

        public Uri Site { get; }

        public static EvilSite Start() => new();

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving;
        }

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using System.Net.Sockets.TcpClient client = await _listener.AcceptTcpClientAsync();
                    System.Net.Sockets.NetworkStream stream = client.GetStream();
                    byte[] request = new byte[4096];
                    _ = await stream.ReadAtLeastAsync(request, 1, throwOnEndOfStream: false);
                    await stream.WriteAsync(Encoding.ASCII.GetBytes(
                        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: 13\r\n\r\n<body></body>"));
                }
            }
            catch (Exception exception) when (exception is System.Net.Sockets.SocketException or ObjectDisposedException or IOException)
            {
                // The end.
            }
        }
    }
}
