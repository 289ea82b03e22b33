using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Reactors;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Transport.Tests.Reactors;

/// <summary>Reactors with one listener, whose connections a test's handlers serve.</summary>
internal sealed class ReactorHost : IDisposable
{
    private readonly Reactor[] _reactors;

    public ReactorHost(
        Func<TransportConnection, TestHandler> connect,
        int reactors = 1,
        string address = "127.0.0.1:0",
        int maxConnections = 10_000,
        Action? afterReceives = null,
        Action<double>? turnListener = null)
    {
        _reactors = new Reactor[reactors];
        for (int i = 0; i < reactors; i++)
        {
            _reactors[i] = new Reactor(i, TimeProvider.System, (exception, where) => Faults.Enqueue((exception, where)), NullLogger<Reactor>.Instance);
        }

        Listener = ReactorListener.Open(
            Transport.Linux.SocketAddress.Parse(address),
            _reactors,
            maxConnections,
            accepted =>
            {
                TestHandler handler = connect(accepted.Transport);
                handler.Thread = Environment.CurrentManagedThreadId;
                Handlers.Enqueue(handler);
                if (accepted.IsOneTooMany) TurnAway(accepted.Transport);
                return handler;
            },
            Refused.Enqueue,
            NullLogger<ReactorListener>.Instance);
        Listener.Start();
        foreach (Reactor reactor in _reactors)
        {
            reactor.AfterReceives = afterReceives;
            reactor.TurnListener = () => turnListener;
            reactor.Start();
        }
    }

    public ReactorListener Listener { get; }

    public Reactor First => _reactors[0];

    public ConcurrentQueue<TestHandler> Handlers { get; } = new();

    public ConcurrentQueue<string> Refused { get; } = new();

    public ConcurrentQueue<(Exception Exception, string Where)> Faults { get; } = new();

    private void TurnAway(TransportConnection transport)
    {
        Refused.Enqueue(transport.RemoteEndPoint);
        transport.ClosesAtOnce = true;
        lock (transport.Output.SyncRoot) transport.Close();
    }

    public async Task<Socket> ConnectAsync(int receiveBufferBytes = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBufferBytes > 0) socket.ReceiveBufferSize = receiveBufferBytes;
        await socket.ConnectAsync(IPEndPoint.Parse(Listener.EndPoint));
        return socket;
    }

    public async Task<TestHandler> HandlerAsync(int number = 0)
    {
        await Deadline.Until(() => Handlers.Count > number, "a connection");
        return Handlers.ElementAt(number);
    }

    public void Dispose()
    {
        foreach (Reactor reactor in _reactors) reactor.Dispose();
    }
}
