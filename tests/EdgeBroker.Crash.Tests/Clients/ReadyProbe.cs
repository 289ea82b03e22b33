using System.Net.Sockets;
using System.Text.Json;

namespace EdgeBroker.Crash.Tests.Clients;

/// <summary>Asks a broker over HTTP, at a Unix socket, whether it is ready.</summary>
internal sealed class ReadyProbe : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"edgebroker-{Guid.NewGuid():N}.sock");
    private readonly HttpClient _client;

    public ReadyProbe()
    {
        _client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(_path), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        { BaseAddress = new Uri("http://localhost") };
    }

    /// <summary>The listener it asks, for a configuration.</summary>
    public string Toml => $"""

        [[listener]]
        protocol = "http"
        address = "unix:{_path}"
        identity = "peer"
        """;

    /// <summary>Expects /ready to say so.</summary>
    public async Task ExpectAsync(int status, string text)
    {
        using HttpResponseMessage response = await _client.GetAsync("/ready");
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains(text, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    /// <summary>Publishes a message that has to be kept: the status, and all that is said.</summary>
    public async Task<(int Status, string Said)> PublishAsync(string topic)
    {
        using HttpResponseMessage response = await _client.PostAsync($"/topics/{topic}?qos=1", new StringContent("over HTTP"));
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>What /ready says of the store, which the overview of the API says as well; what follows the cause goes on from one look to the next.</summary>
    public async Task<string> StoreTroubleAsync()
    {
        string ready = CauseOf(await ReadAsync("/ready"), "parts"), overview = CauseOf(await ReadAsync("/api/v1/overview"), "problems");
        Assert.Equal(ready, overview);
        return ready;
    }

    private async Task<JsonElement> ReadAsync(string path)
    {
        using HttpResponseMessage response = await _client.GetAsync(path);
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
    }

    private static string CauseOf(JsonElement answer, string list) => answer.GetProperty(list).EnumerateArray()
        .First(part => part.GetProperty("part").GetString() == "store").GetProperty("detail").GetString()!.Split(';')[0];

    public void Dispose()
    {
        _client.Dispose();
        File.Delete(_path);
    }
}
