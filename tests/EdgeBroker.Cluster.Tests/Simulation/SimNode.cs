using EdgeBroker.Cluster.Links;
using EdgeBroker.Cluster.State;
using EdgeBroker.Core;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>A node: a real broker and a real mesh on a disk of memory, with a life that ends when the simulation says so.</summary>
internal sealed class SimNode(World world, byte number, int nodes)
{
    private FakeTimeProvider _time = new();
    private bool _wantsRun;

    public byte Number => number;

    public string Name { get; } = "node " + number;

    public MemoryDisk Disk { get; private set; } = new();

    public bool IsUp { get; private set; }

    /// <summary>Counts its starts.</summary>
    public int Starts { get; private set; }

    public Broker Broker { get; private set; } = null!;

    public MeshNode Mesh { get; private set; } = null!;

    public MemoryJournal Journal { get; private set; } = null!;

    public RoutingContext Context { get; private set; } = null!;

    public long NowMs => Broker.Clock.NowMs;

    /// <summary>How far its wall clock is off, for the mutation that believes it.</summary>
    public long WallOffsetMs { get; set; }

    public void Start()
    {
        Starts++;
        IsUp = true;
        _time = new FakeTimeProvider();
        _wantsRun = true;
        Journal = new MemoryJournal(Disk, world.Mutation);
        var options = new MqttOptions { SysInterval = TimeSpan.Zero, ReceiveMaximum = 20 };
        Broker = new Broker(options, new BrokerClock(_time), Journal, new BrokerEvents(), "simulation");
        var mesh = new MeshOptions
        {
            Node = number,
            Peers = [.. Enumerable.Range(1, nodes).Select(one => (byte)one).Where(one => one != number)],
            MaxLinkBytes = 2_000,
            WithoutQuorum = world.WithoutQuorum,
        };
        Mesh = new MeshNode(Broker, mesh, new NoteLog(world, number)) { RunRequested = () => _wantsRun = true };
        Broker.Cluster = new SimCluster(Mesh, world.Mutation);
        Context = Broker.CreateContext(new MessageBatch());
        Disk.RestoreInto(Broker, world.Mutation);
        long life = world.Has(Mutation.PositionReused) ? 1000 + number : world.NextLife();
        Mesh.Start(Disk.Mesh, life, NowMs);
        if (world.Voters is { } voters)
        {
            voters.Run(number, isRunning: true);
            Mesh.Join(new SimConsensus(voters, this, world.Mutation), Self());
        }

        if (world.Has(Mutation.StampFromWallClock)) Broker.Stamps = new WallStamps(this);
    }

    /// <summary>Another disk, with nothing on it.</summary>
    public void ReplaceDisk() => Disk = new MemoryDisk();

    /// <summary>The power goes.</summary>
    public void Crash()
    {
        IsUp = false;
        world.Voters?.Run(number, isRunning: false);
    }

    public void Advance(int milliseconds)
    {
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        if (!IsUp) return;
        while (Broker.RunDue())
        {
        }

        Mesh.Tick(NowMs);
    }

    public void RunIfAsked()
    {
        if (!_wantsRun) return;
        _wantsRun = false;
        Mesh.Run();
    }

    public PeerLink? LinkTo(SimNode other) => Mesh.Peers.FirstOrDefault(one => one.Outbox.Node == other.Number)?.Link;

    /// <summary>Retained values and tombstones, for comparison.</summary>
    public SortedDictionary<string, string> RetainedSet(bool withTombstones)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using Core.Retained.RetainedReader reader = Broker.Retained.ReadSince(0);
        while (!reader.IsDone)
        {
            while (reader.TryTake(out Message? row))
            {
                if (withTombstones || !row.IsTombstone) found.Add(World.Text(row.Topic), $"{World.Text(row.Payload)} {row.Stamp.Value} {row.QoS}");
            }
        }

        return found;
    }

    private NodeUp Self() => new()
    {
        Node = number,
        Name = Name,
        Incarnation = 1,
        StoreId = Disk.StoreId,
        Fingerprint = new string('0', 64),
        LinkAddress = "127.0.0.1:1",
        RaftAddress = "127.0.0.1:2",
        Servers = [],
        WireMin = 1,
        WireMax = 1,
        RaftGeneration = 1,
        ConfigurationHash = 0,
        IsWitness = false,
        HighestGrant = 0,
        SettledThrough = 0,
    };

    /// <summary>What the node logs is part of what happened.</summary>
    private sealed class NoteLog(World world, byte number) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            world.Note($"node {number} says: {formatter(state, exception)}");
    }

    /// <summary>Stamps as a node would give them that believes its wall clock.</summary>
    private sealed class WallStamps(SimNode node) : IStampSource
    {
        public bool TryNext(out Stamp stamp)
        {
            stamp = new Stamp(((node.NowMs + node.WallOffsetMs + 10_000_000) << 21) | node.Number);
            return true;
        }
    }
}
