using System.Globalization;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Dtls;
using EdgeBroker.Coap.Listeners;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Coap.Tests.Dtls;

/// <summary>
/// Clients that begin handshakes, with the right cookie, and say nothing more. So many as EDGEBROKER_COAP_HANDSHAKES says; a few hundred where it says nothing.
/// </summary>
public sealed class HandshakeFloodTests : IAsyncDisposable
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];

    private readonly Broker _broker = new(
        TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(), "test");

    private readonly CoapListenerFamily _family;
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;

    public HandshakeFloodTests() =>
        _family = new CoapListenerFamily(_broker, new AnonymousAuthenticator(), TimeProvider.System, NullLoggerFactory.Instance);

    private static int Attempts =>
        int.TryParse(Environment.GetEnvironmentVariable("EDGEBROKER_COAP_HANDSHAKES"), NumberStyles.None, CultureInfo.InvariantCulture, out int asked)
            ? asked : 300;

    public async ValueTask DisposeAsync()
    {
        await _family.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Handshakes_that_are_begun_and_left_cost_few_threads_and_no_memory()
    {
        string file = Path.Combine(_directory, "sensors.psk");
        await File.WriteAllTextAsync(file, "sensor:" + Convert.ToHexString(Key) + "\n");
        var listener = (CoapListener)await _family.OpenAsync(new ListenerSettings
        {
            Protocol = ListenerProtocol.Coaps,
            Address = "127.0.0.1:0",
            PskFile = file,
            AllowAnonymous = false,
        });
        await listener.BeginAsync();
        int mostThreads = 0;
        long begun = 0;
        for (int i = 0; i < Attempts; i++)
        {
            if (await Stranger.BeginHandshakeAsync(listener.EndPoint, i)) begun++;
            mostThreads = Math.Max(mostThreads, listener.Dtls!.ThreadCount);
        }

        Assert.True(begun > 0, "no handshake was begun");
        Assert.InRange(mostThreads, 1, HandshakePool.MaxThreads);
        Assert.Equal(0, listener.Dtls!.AssociationCount);
        Assert.Equal(0, listener.Dtls.MemoryBytes);
        // Who is refused meanwhile comes again, as devices do.
        DtlsClient? client = null;
        for (int i = 0; client is null; i++)
        {
            Assert.True(i < 20, "no client comes in behind them");
            client = await TryConnectAsync(listener);
        }

        Assert.Equal(CoapCode.Created, (await client.AskAsync("43 03 00 01 010203 b2 7073 01 61 ff 31")).Code);
        client.Dispose();
    }

    private static async Task<DtlsClient?> TryConnectAsync(CoapListener listener)
    {
        try
        {
            return await DtlsClient.ConnectAsync(listener.EndPoint, "sensor", Key, timeoutMs: 5_000);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
