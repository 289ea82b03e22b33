using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using EdgeBroker.Testing;
using EdgeBroker.Tests.Reloading;

namespace EdgeBroker.Tests.Hosting;

/// <summary>What is secret in the configuration is in no answer, whoever asks, however.</summary>
public sealed class SecretTests
{
    private const string Marker = "MarkedSecret4711";

    private const string Settings = """
        [auth]
        password_file = "users.passwd"
        [auth.jwt]
        key = { file = "jwt.key" }
        [[group]]
        name = "admin"
        users = ["anna"]
        [[listener]]
        protocol = "mqtt"
        address = "127.0.0.1:0"
        allow_anonymous = true
        [[listener]]
        protocol = "http"
        address = "127.0.0.1:0"
        [http]
        admin_token = { file = "admin.token" }
        [[http.token]]
        name = "grafana"
        role = "viewer"
        token = { file = "viewer.token" }
        [[webhook]]
        name = "plant"
        url = "http://127.0.0.1:9/events"
        events = ["client.connected"]
        secret = { file = "hook.secret" }
        old_secret = { file = "hook.secret" }
        headers = { Authorization = { file = "header" } }
        [telemetry]
        endpoint = "http://127.0.0.1:9"
        headers = { Authorization = { file = "header" } }
        [[bridge]]
        name = "cloud"
        addresses = ["127.0.0.1:9"]
        user = "gw"
        password = { file = "header" }
        proxy = "http://127.0.0.1:9"
        proxy_user = "gw"
        proxy_password = { file = "header" }
        [[bridge.route]]
        local = "up/#"
        """;

    [Fact]
    public async Task No_answer_holds_one()
    {
        await using var broker = new BrokerInProcess();
        broker.Directory.Write("admin.token", $"{Marker}-admin-token-0123456789\n");
        broker.Directory.Write("viewer.token", $"{Marker}-viewer-token-0123456789\n");
        broker.Directory.Write("jwt.key", $"{Marker}-0123456789abcdef0123456789abcdef\n");
        string secret = Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes($"{Marker}-0123456789abcdef"));
        broker.Directory.Write("hook.secret", $"whsec_{secret}\n");
        broker.Directory.Write("header", $"{Marker}-header\n");
        string user = BrokerInProcess.User("anna", Marker);
        broker.Directory.Write("users.passwd", user);
        string[] marks = [Marker, secret, user.Trim()[(user.IndexOf(':', StringComparison.Ordinal) + 1)..]];
        broker.Configure(Settings);
        broker.Start();
        await broker.AnswersAsync();
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{broker.Port("http")}") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", $"{Marker}-admin-token-0123456789");
        await broker.RefusesAsync("anna", Marker + "-guessed");

        using JsonDocument described = JsonDocument.Parse(await http.GetStringAsync("/api/v1/openapi.json"));
        string[] paths =
        [
            .. described.RootElement.GetProperty("paths").EnumerateObject().Where(path => path.Value.TryGetProperty("get", out _))
                .Select(path => path.Name)
                .Where(path => path is not ("/api/v1/stream" or "/api/v1/mqtt") && !path.EndsWith("/events", StringComparison.Ordinal)),
            "/api/v1/events",
        ];
        Assert.True(paths.Length > 30);
        Assert.Contains("/api/v1/config", paths);
        var answered = 0;
        foreach (string path in paths)
        {
            string place = System.Text.RegularExpressions.Regex.Replace(path, @"\{[^}]*\}", "cloud");
            foreach (string accept in new[] { "application/json", "text/plain, */*" })
            {
                (HttpStatusCode status, string said) = await AskAsync(place, accept);
                Assert.All(marks, mark => Assert.DoesNotContain(mark, said, StringComparison.Ordinal));
                if (status == HttpStatusCode.OK) answered++;
            }
        }

        Assert.True(answered > 40, $"only {answered} answered");
        Assert.All(marks, mark => Assert.DoesNotContain(mark, broker.Log, StringComparison.Ordinal));
        // A reload and a check that fail tell of files, not of what they hold.
        broker.Directory.Write("hook.secret", $"{Marker}-is-none\n");
        (int exit, string words) = broker.Reload();
        Assert.NotEqual(0, exit);
        Assert.DoesNotContain(Marker, words, StringComparison.Ordinal);
        Assert.DoesNotContain(Marker, broker.Log, StringComparison.Ordinal);
        Assert.DoesNotContain(Marker, (await AskAsync("/api/v1/config/changes")).Said, StringComparison.Ordinal);

        Task<(HttpStatusCode Status, string Said)> AskAsync(string path, string accept = "application/json") => Patience.AskAsync(
            async () =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path);
                request.Headers.Accept.ParseAdd(accept);
                using HttpResponseMessage response = await http.SendAsync(request);
                return (response.StatusCode, $"{response.Headers}{response.Content.Headers}{await response.Content.ReadAsStringAsync()}");
            },
            one => (int)one.StatusCode);
    }
}
