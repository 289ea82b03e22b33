using EdgeBroker.Testing.Published;

namespace EdgeBroker.Interop.Tests;

/// <summary>A running broker for the tests of one class.</summary>
public sealed class BrokerFixture : IAsyncLifetime
{
    private PublishedBroker? _broker;

    public int Port => _broker!.Port;

    /// <summary>Waits until the broker is done with a client that has gone; a client does not wait for that.</summary>
    public Task GoneAsync(string clientId) => _broker!.Process.LineAsync(
        line => line.Contains($" {clientId} at ", StringComparison.Ordinal) && line.Contains(" disconnected: ", StringComparison.Ordinal));

    // Room for the payloads of 1 MB.
    public async Task InitializeAsync() => _broker = await PublishedBroker.StartAsync("[mqtt]\nmax_packet_size = \"2MB\"\n");

    public Task DisposeAsync()
    {
        _broker?.Dispose();
        return Task.CompletedTask;
    }
}
