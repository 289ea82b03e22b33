using System.Net;
using System.Net.Sockets;
using EdgeBroker.Testing;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Crash.Tests.Runs;

/// <summary>The broker on the other side of a bridge, started and ended as often as a run likes.</summary>
public abstract class Upstream : IDisposable
{
    /// <summary>What it is called on the command line.</summary>
    public abstract string Name { get; }

    /// <summary>What it has said since it was started last.</summary>
    public abstract string Said { get; }

    /// <summary>The upstream of a name: edgebroker or mosquitto.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static Upstream Create(string name) => name switch
    {
        "edgebroker" => new EdgeBrokerUpstream(),
        "mosquitto" => new MosquittoUpstream(),
        _ => throw new ArgumentException($"no upstream \"{name}\"; there are edgebroker and mosquitto"),
    };

    /// <summary>Starts it on what it has kept, and waits until it listens.</summary>
    /// <returns>Its port.</returns>
    public abstract Task<int> StartAsync();

    /// <summary>Ends it in the hardest way in which it promises to lose nothing.</summary>
    public abstract Task EndAsync();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends it and removes what it has kept.</summary>
    protected abstract void Dispose(bool disposing);
}

/// <summary>Our own: killed.</summary>
internal sealed class EdgeBrokerUpstream : Upstream
{
    private readonly BrokerUnderTest _broker = BrokerUnderTest.Create(StorageProfile.Balanced);

    public override string Name => "edgebroker";

    public override string Said => _broker.Said;

    public override Task<int> StartAsync() => _broker.StartAsync();

    public override async Task EndAsync()
    {
        _broker.Kill();
        await _broker.Process.ExitAsync();
    }

    protected override void Dispose(bool disposing) => _broker.Dispose();
}

/// <summary>A real mosquitto: asked to end, since it acknowledges what it has in memory only and saves that when it ends.</summary>
internal sealed class MosquittoUpstream : Upstream
{
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-upstream-").FullName;
    private readonly LoopbackPort _port = new();
    private ChildProcess? _process;

    public override string Name => "mosquitto";

    public override string Said => _process?.Said ?? "";

    public override async Task<int> StartAsync()
    {
        string file = Path.Combine(_directory, "mosquitto.conf");
        await File.WriteAllTextAsync(file, $"""
            listener {_port} 127.0.0.1
            allow_anonymous true
            user {Environment.UserName}
            persistence true
            persistence_location {_directory}/
            max_queued_messages 0

            """);
        _process?.Dispose();
        _process = ChildProcess.Program(MosquittoBroker.Find("mosquitto"), "-c", file);
        await Deadline.Until(IsListening, $"mosquitto to listen; it said: {_process.Said}");
        return _port;
    }

    public override async Task EndAsync()
    {
        _process!.Terminate();
        await _process.ExitAsync();
    }

    protected override void Dispose(bool disposing)
    {
        _process?.Dispose();
        _port.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private bool IsListening()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Connect(IPAddress.Loopback, _port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
