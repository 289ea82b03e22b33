using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace EdgeBroker.Tests.Reloading;

/// <summary>A reload of what was checked: what is judged is what is put in force.</summary>
public sealed class CheckedReloadTests
{
    private const string Listener =
        "[[listener]]\nprotocol = \"http\"\naddress = \"127.0.0.1:0\"\nallow_anonymous = true\n[http]\nadmin_token = { file = \"token\" }\n";

    [Fact]
    public async Task Files_that_changed_since_the_check_are_not_put_in_force()
    {
        await using var broker = new BrokerInProcess();
        broker.Directory.Write("token", "0123456789abcdef0123456789abcdef\n");
        broker.Configure(Listener);
        broker.Start();
        await broker.AnswersAsync();
        broker.Configure(Listener + "[limits]\nmax_sessions = 10\n");
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{broker.Port("http")}/api/v1/") };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "0123456789abcdef0123456789abcdef");
        EntityTagHeaderValue seen = await CheckAsync();
        Assert.Equal(seen, await CheckAsync());
        broker.Configure(Listener + "[limits]\nmax_sessions = 11\n");
        EntityTagHeaderValue other = await CheckAsync();
        Assert.NotEqual(seen, other);
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await ReloadAsync(seen)).Status);
        Assert.Contains("the files changed since they were checked", broker.Log, StringComparison.Ordinal);
        (HttpStatusCode status, string body) = await ReloadAsync(other);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("limits.max_sessions", body, StringComparison.Ordinal);
        // A fragment beside the file is a part of what was checked.
        broker.Directory.Write("conf.d/more.toml", "[mqtt]\nmax_qos = 1\n");
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await ReloadAsync(other)).Status);

        async Task<EntityTagHeaderValue> CheckAsync()
        {
            using HttpResponseMessage answer = await client.PostAsync("config/check", null);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
            return answer.Headers.ETag!;
        }

        async Task<(HttpStatusCode Status, string Body)> ReloadAsync(EntityTagHeaderValue condition)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "reload") { Content = new StringContent("", Encoding.UTF8, "application/json") };
            request.Headers.IfMatch.Add(condition);
            using HttpResponseMessage answer = await client.SendAsync(request);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }
    }
}
