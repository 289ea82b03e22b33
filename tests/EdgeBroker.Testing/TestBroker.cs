using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Security;
using EdgeBroker.Mqtt;
using EdgeBroker.Mqtt.Connections;
using EdgeBroker.Protocol;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Pipes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Testing;

/// <summary>
/// A whole broker in the test's process, spoken to through the real protocol. Over memory its clock stands still until <see cref="Advance(TimeSpan)"/>; over
/// sockets it is the system's. See README.md in this folder.
/// </summary>
public sealed class TestBroker : IAsyncDisposable
{
    private readonly TestBrokerOptions _options;
    private readonly IAuthenticator _authenticator;
    private readonly MqttServer? _server;
    private readonly ConcurrentQueue<TestClient> _clients = new();
    private int _lastClient;

    public TestBroker(TestBrokerOptions? options = null)
    {
        _options = options ?? new TestBrokerOptions();
        TimeProvider time = _options.OverSockets ? TimeProvider.System : Time;
        Broker = new Broker(
            _options.Mqtt, _options.Clock ?? new BrokerClock(time), _options.Journal, new BrokerEvents(Events), "test")
        { Cluster = _options.Cluster };
        Broker.Limits.Replace(_options.Limits);
        _authenticator = new GuardedAuthenticator(_options.Authenticator, Broker.Limits);
        if (!_options.OverSockets) return;
        _server = new MqttServer(Broker, _authenticator, 2, time, NullLoggerFactory.Instance);
        _server.Serve(new ListenerSettings { Protocol = ListenerProtocol.Mqtt, Address = "127.0.0.1:0", AllowAnonymous = _options.AllowAnonymous });
    }

    /// <summary>A broker with other limits than <see cref="TestBrokerOptions.Quiet"/>.</summary>
    public TestBroker(MqttOptions limits)
        : this(new TestBrokerOptions { Mqtt = limits })
    {
    }

    /// <summary>The broker itself.</summary>
    public Broker Broker { get; }

    /// <summary>The clock of a broker over memory.</summary>
    public FakeTimeProvider Time => _options.Time;

    /// <summary>What the broker says it did.</summary>
    public RecordedEvents Events { get; } = new();

    /// <summary>Where a broker over sockets listens, on loopback.</summary>
    public int Port
    {
        get
        {
            string endPoint = _server!.Listeners.Single().EndPoint;
            return int.Parse(endPoint[(endPoint.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Moves the clock and has done what is due by then. What a connection does by itself (keep alive) follows at once on its own thread.</summary>
    public void Advance(TimeSpan by)
    {
        if (_options.OverSockets) throw new InvalidOperationException("The system clock moves by itself.");
        Time.Advance(by);
        RunDue();
    }

    /// <summary>Moves the clock by seconds.</summary>
    public void Advance(double seconds) => Advance(TimeSpan.FromSeconds(seconds));

    /// <summary>Moves the clock, a little at a time, until something has happened.</summary>
    public async Task AdvanceUntilAsync(Task happened, double stepSeconds = 0.25)
    {
        long began = Environment.TickCount64;
        while (!happened.IsCompleted && Environment.TickCount64 - began < Deadline.Timeout.TotalMilliseconds)
        {
            Advance(stepSeconds);
            // In real time: connections do their part on other threads.
            await Task.WhenAny(happened, Task.Delay(5));
        }

        await happened;
    }

    /// <summary>Has done what is due.</summary>
    public void RunDue()
    {
        while (Broker.RunDue())
        {
        }
    }

    /// <summary>Stops the server of a broker over sockets.</summary>
    public Task StopAsync() => _server!.StopAsync(Deadline.Timeout, TimeProvider.System);

    /// <summary>Opens a connection and says nothing on it.</summary>
    /// <param name="version">What it will speak.</param>
    /// <param name="address">Over memory: the address it comes from; null: none.</param>
    public async Task<TestClient> OpenAsync(ProtocolVersion version = ProtocolVersion.V5, string? address = null)
    {
        string name = "client " + Interlocked.Increment(ref _lastClient).ToString(CultureInfo.InvariantCulture);
        TestClient client = _server is null ? OpenPipe(version, name, address) : await OpenSocketAsync(version, name);
        _clients.Enqueue(client);
        return client;
    }

    /// <summary>Opens a connection, sends CONNECT and expects to be accepted. The CONNACK is in <see cref="TestClient.Connack"/>.</summary>
    public async Task<TestClient> ConnectAsync(
        string clientId,
        ProtocolVersion version = ProtocolVersion.V5,
        bool cleanStart = true,
        int keepAliveSeconds = 0,
        byte[]? properties = null,
        TestWill? will = null,
        bool? sessionPresent = null,
        string? address = null)
    {
        TestClient client = await OpenAsync(version, address);
        await client.SendAsync(client.Packets.Connect(clientId, cleanStart, keepAliveSeconds, properties, will));
        await client.ExpectConnackAsync(sessionPresent);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (TestClient client in _clients) await client.DisposeAsync();
        _server?.Dispose();
    }

    private TestClient OpenPipe(ProtocolVersion version, string name, string? address)
    {
        // What a test sends never waits for the broker; what the broker sends waits for the test to read, as with a socket.
        var toBroker = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        var toClient = new Pipe(new PipeOptions(pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 32 * 1024, useSynchronizationContext: false));
        var reader = new WatchedReader(toBroker.Reader);
        RoutingContext context = Broker.CreateContext(new MessageBatch());
        var loop = new PipeLoop(Broker.ReportFault) { IterationEnded = () => Broker.Deliver(context.Batch, context) };
        var peer = new PipePeer(address ?? name, address is null ? null : IPAddress.Parse(address));
        var connection = new PipeConnection(new DuplexPipe(reader, toClient.Writer), peer, Time, loop);
        var endpoint = new MqttEndpoint(Broker, _authenticator, _options.AllowAnonymous);
        Handshake handshake;
        using (loop.Enter()) handshake = new Handshake(endpoint, connection, context);
        Task served = connection.RunAsync(handshake);
        return new TestClient(
            new DuplexPipe(toClient.Reader, toBroker.Writer), version, name, () => Deadline.Within(served, $"the broker to be done with {name}"), reader);
    }

    private async Task<TestClient> OpenSocketAsync(ProtocolVersion version, string name)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", Port);
        var stream = new NetworkStream(socket, ownsSocket: true);
        return new TestClient(new DuplexPipe(PipeReader.Create(stream), PipeWriter.Create(stream)), version, name, over: null, reader: null, stream);
    }

    private sealed record DuplexPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
