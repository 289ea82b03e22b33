using System.Net.Sockets;

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
        """;

    /// <summary>Expects /ready to say so.</summary>
    public async Task ExpectAsync(int status, string text)
    {
        using HttpResponseMessage response = await _client.GetAsync("/ready");
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains(text, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _client.Dispose();
        File.Delete(_path);
    }
}
