using System.Net.Security;
using System.Net.Sockets;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Buffers;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Tests.Tls;

/// <summary>What an idle client weighs over TLS: with the socket at its other end. What OpenSSL has is not counted.</summary>
[Collection(Alone.Name)]
public sealed class IdleMemoryTests : IAsyncDisposable
{
    private const int First = 50;
    private const int Clients = 400;
    private const int Rounds = 3;
    private const long LeastBytes = 500;
    private const long MostBytes = 5_600;

    private readonly WebHost _host = new();
    private readonly List<Socket> _sockets = [];

    public async ValueTask DisposeAsync()
    {
        foreach (Socket socket in _sockets) socket.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task An_idle_client_holds_no_buffer_and_weighs_little()
    {
        int port = await _host.StartAsync(ListenerProtocol.Mqtts);
        for (int i = 0; i < First; i++) await ConnectAsync(port, $"first-{i}");
        long weight = 0;
        // What tests before this have left goes when its time has come, which may be meanwhile: one clean round of some is proof.
        for (int round = 0; round < Rounds && weight is < LeastBytes or > MostBytes; round++) weight = await WeighAsync(port, round);
        Assert.InRange(weight, LeastBytes, MostBytes);
    }

    private async Task<long> WeighAsync(int port, int round)
    {
        long before = LiveBytes(), held = HeldBytes;
        for (int i = 0; i < Clients; i++) await ConnectAsync(port, $"client-{round}-{i}");
        await Deadline.Until(() => HeldBytes <= held, "no buffer to be held");
        return (LiveBytes() - before) / Clients;
    }

    /// <summary>A client of which only the socket is left when this returns: TLS says nothing when it is disposed of.</summary>
    private async Task ConnectAsync(int port, string clientId)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _sockets.Add(socket);
        await socket.ConnectAsync("127.0.0.1", port);
        await using var stream = new SslStream(new NetworkStream(socket, ownsSocket: false), leaveInnerStreamOpen: true,
            (_, certificate, _, _) => certificate is not null);
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", AllowTlsResume = false });
        await stream.WriteAsync(Packets.V311.Connect(clientId));
        await stream.ReadExactlyAsync(new byte[4]).AsTask().WaitAsync(Deadline.Timeout);
    }

    private static long HeldBytes => BufferMemory.OutputBytes + BufferMemory.ReceivedBytes + BufferMemory.UnauthenticatedBytes;

    private static long LiveBytes()
    {
        // What other tests have left takes a few rounds to go.
        for (int i = 0; i < 5; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(true);
    }
}
