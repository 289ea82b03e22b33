using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Mqtt.Tests.Rig;

/// <summary>A server with one listener of a test's choice, and what its authenticator was asked.</summary>
internal sealed class Door : IDisposable, IAuthenticator
{
    private readonly MqttServer _server;
    private readonly AnonymousAuthenticator _anonymous = new();

    public Door(ListenerSettings options, MqttOptions? limits = null)
    {
        Broker = new Broker(
            limits ?? TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(Events), "test");
        _server = new MqttServer(Broker, this, 2, TimeProvider.System, NullLoggerFactory.Instance);
        _server.Serve(options);
    }

    public Broker Broker { get; }

    public RecordedEvents Events { get; } = new();

    public ConcurrentQueue<AuthenticationRequest> Asked { get; } = new();

    public int Port => ((IPEndPoint)EndPoint).Port;

    private EndPoint EndPoint => _server.Listeners.Single().EndPoint is var address && address.StartsWith("unix:", StringComparison.Ordinal)
        ? new UnixDomainSocketEndPoint(address["unix:".Length..])
        : IPEndPoint.Parse(address);

    public async Task<NetworkStream> OpenAsync()
    {
        Socket socket = EndPoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(EndPoint);
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Sends a header and CONNECT behind it in one piece, and is let in; says who the broker takes the client for.</summary>
    public async Task<AuthenticationRequest> EnterAsync(byte[] header, string clientId)
    {
        await using TestClient client = TestClient.Over(await OpenAsync(), ProtocolVersion.V5, clientId);
        await client.SendAsync([.. header, .. client.Packets.Connect(clientId)]);
        await client.ExpectConnackAsync();
        await client.FenceAsync();
        return Asked.Single(asked => asked.ClientId == clientId);
    }

    /// <summary>The connection is over, and the reason is told.</summary>
    public async Task ExpectRefusedAsync(NetworkStream stream, string cause)
    {
        await EndAsync(stream);
        await Events.WaitForAsync(e => e.Kind == BrokerEventKind.Refused && e.Text.Contains(cause, StringComparison.Ordinal), cause);
    }

    /// <summary>The connection ends without a word.</summary>
    public static async Task EndAsync(NetworkStream stream)
    {
        try
        {
            Assert.Equal(0, await Deadline.Within(stream.ReadAsync(new byte[16]).AsTask(), "the end of the connection"));
        }
        catch (IOException)
        {
            // Closed with bytes unread, which a socket tells by a reset.
        }
    }

    public Task StopAsync() => _server.StopAsync(Deadline.Timeout, TimeProvider.System);

    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation)
    {
        Asked.Enqueue(request);
        return _anonymous.AuthenticateAsync(request, cancellation);
    }

    public void Dispose() => _server.Dispose();
}
