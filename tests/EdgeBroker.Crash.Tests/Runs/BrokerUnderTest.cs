using EdgeBroker.Testing;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Crash.Tests.Runs;

/// <summary>The published executable on one data directory, started and killed as often as a run likes.</summary>
public sealed class BrokerUnderTest : IDisposable
{
    private readonly string _directory;

    // One and the same over all its lives: a broker that starts anew by itself is found where it was.
    private readonly LoopbackPort _port = new();
    private ChildProcess? _process;

    private BrokerUnderTest(string directory, string dataDirectory)
    {
        _directory = directory;
        DataDirectory = dataDirectory;
        Directory.CreateDirectory(DataDirectory);
    }

    /// <summary>Where the broker keeps its data.</summary>
    public string DataDirectory { get; }

    /// <summary>A directory beside the data, that goes with the broker.</summary>
    public string Scratch => _directory;

    /// <summary>What the program started last has said.</summary>
    public string Said => _process?.Said ?? "";

    /// <summary>What had been said when <see cref="KeepWhatItSaid"/> was called.</summary>
    public string FirstStartSaid { get; private set; } = "";

    /// <summary>The program started last.</summary>
    public ChildProcess Process => _process ?? throw new InvalidOperationException("not started");

    /// <summary>Prepares a broker with an empty data directory.</summary>
    /// <param name="profile">The value of durability.</param>
    /// <param name="storage">More lines of [storage], and further tables.</param>
    /// <param name="dataDirectory">Where its data go, which stay there; null: beside its configuration.</param>
    public static BrokerUnderTest Create(StorageProfile profile, string storage = "", string? dataDirectory = null)
    {
        string directory = Directory.CreateTempSubdirectory("edgebroker-crash-").FullName;
        var broker = new BrokerUnderTest(directory, dataDirectory ?? Path.Combine(directory, "data"));
        // Nothing is dropped by a limit: what is missing then is lost.
        File.WriteAllText(Path.Combine(broker._directory, "broker.toml"), $"""
            [node]
            data_dir = "{broker.DataDirectory}"
            [[listener]]
            protocol = "mqtt"
            address = "127.0.0.1:{broker._port.Number}"
            [mqtt]
            max_queued_messages = 1_000_000
            max_queued_bytes = "1GB"
            sys_interval = "1s"
            [log]
            format = "text"
            {profile.Toml}{storage}
            """);
        return broker;
    }

    /// <summary>Starts it, and does not wait for anything.</summary>
    public void Launch(IReadOnlyDictionary<string, string>? environment = null)
    {
        _process?.Dispose();
        _process = PublishedBinary.Of(PublishedBinary.HostRid).Start(_directory, environment ?? new Dictionary<string, string>(), "-c", "broker.toml");
    }

    /// <summary>Waits until it listens.</summary>
    /// <exception cref="InvalidOperationException">It ended instead.</exception>
    public Task<int> ListenAsync() => PublishedBroker.PortOfAsync(Process);

    /// <summary>Starts it and waits until it listens.</summary>
    public Task<int> StartAsync(IReadOnlyDictionary<string, string>? environment = null)
    {
        Launch(environment);
        return ListenAsync();
    }

    /// <summary>Remembers what it said over later starts.</summary>
    public void KeepWhatItSaid() => FirstStartSaid = Said;

    /// <summary>Kills it (SIGKILL). False: it had ended before.</summary>
    public bool Kill()
    {
        bool ran = !Process.HasEnded;
        Process.Kill();
        return ran;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _process?.Dispose();
        _port.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
