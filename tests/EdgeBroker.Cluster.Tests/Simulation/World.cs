using System.Globalization;
using System.Text;
using EdgeBroker.Cluster.Tests.Consensus;
using EdgeBroker.Core;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>A message that was published.</summary>
internal sealed record Sent(SimNode Node, int Start, string Topic, string Payload, QoS QoS, int Number, Completion? Completion, List<SimClient> Owed)
{
    /// <summary>Whether the publisher has its acknowledgement.</summary>
    public bool IsAcknowledged { get; set; }

    /// <summary>Whether some member of a shared subscription is owed it.</summary>
    public bool IsOwedToGroup { get; init; }
}

/// <summary>
/// Some nodes, their network, disks and clients in one thread. A seed decides everything: which step comes next, and what it does. In the end all is mended,
/// and the <see cref="Judge"/> says whether what was promised was kept.
/// </summary>
internal sealed class World
{
    private const int Topics = 3;
    private const int SettleRounds = 600;

    private readonly Random _random;
    private readonly List<string> _notes = [];
    private int _number;
    private int _steps;
    private long _life;

    /// <param name="seed">Decides everything.</param>
    /// <param name="nodes">How many there are.</param>
    /// <param name="mutation">The fault built in.</param>
    /// <param name="votes">Whether the nodes are voters as well.</param>
    /// <param name="withoutQuorum">What one does without a majority of them.</param>
    public World(int seed, int nodes, Mutation mutation = Mutation.None, bool votes = false, WithoutQuorum withoutQuorum = WithoutQuorum.Refuse)
    {
        _random = new Random(seed);
        WithoutQuorum = withoutQuorum;
        if (votes) Voters = new ModelCluster(nodes, new FakeTimeProvider(), seed);
        Mutation = mutation;
        Network = new SimNetwork(this);
        Nodes = [.. Enumerable.Range(1, nodes).Select(one => new SimNode(this, (byte)one, nodes) { WallOffsetMs = _random.Next(-9_000_000, 9_000_000) })];
        foreach (SimNode node in Nodes) node.Start();
        foreach (SimNode node in Nodes)
        {
            for (int i = 0; i < 2; i++)
            {
                string filter = _random.Next(3) switch { 0 => "t/#", 1 => "t/+", _ => "t/" + _random.Next(Topics) };
                Clients.Add(new SimClient(string.Create(CultureInfo.InvariantCulture, $"client{node.Number}{i}"), node, filter, (QoS)_random.Next(1, 3)));
            }
        }

        for (int i = 0; i < 2; i++)
        {
            Clients.Add(new SimClient(string.Create(CultureInfo.InvariantCulture, $"roamer{i}"), AnyNode(), "t/#", (QoS)_random.Next(1, 3), this));
            Rivals.Add(new SimRival("rival", this));
        }
    }

    public Mutation Mutation { get; }

    /// <summary>What the nodes agree on as voters; null: they do not vote.</summary>
    public ModelCluster? Voters { get; }

    public WithoutQuorum WithoutQuorum { get; }

    public SimNetwork Network { get; }

    public List<SimNode> Nodes { get; }

    public List<SimClient> Clients { get; } = [];

    public List<SimRival> Rivals { get; } = [];

    public List<Sent> Published { get; } = [];

    /// <summary>The highest stamp of each topic whose publisher was acknowledged.</summary>
    public Dictionary<string, long> RetainedStamps { get; } = [];

    /// <summary>What was seen to be wrong at once.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>What happened, for who reads a failure.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Whether all came to an end.</summary>
    public bool HasSettled { get; private set; }

    private HashSet<long> Stamps { get; } = [];

    private List<(SimNode Node, int Start, string Topic, long Stamp, Completion Completion)> RetainedUnderWay { get; } = [];

    public static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public bool Has(Mutation mutation) => (Mutation & mutation) != 0;

    public long NextLife() => ++_life + (_random.NextInt64() & 0x7FFF_FFFF_0000_0000);

    public void Note(string what) => _notes.Add(string.Create(CultureInfo.InvariantCulture, $"{_steps}: {what}"));

    public int Next(int below) => _random.Next(below);

    public SimNode AnyNode() => Nodes[_random.Next(Nodes.Count)];

    public void Fault(string what)
    {
        Note("FAULT " + what);
        Faults.Add(what);
    }

    /// <summary>A client has another session: what was owed to it before is not owed any more.</summary>
    public void Forgive(SimClient client)
    {
        foreach (Sent sent in Published) sent.Owed.Remove(client);
    }

    /// <summary>Runs a number of steps, then mends everything and waits until nothing happens any more.</summary>
    public World Run(int steps)
    {
        // Most worlds begin as they should be, some of these without subscribers yet; others with nodes that have never met.
        List<SimClient> late = _random.Next(2) == 0 ? [.. Clients] : [];
        Clients.RemoveAll(late.Contains);
        if (_random.Next(4) != 0) Settle();
        Clients.AddRange(late);
        for (int i = 0; i < steps; i++) Step();
        Settle();
        // All is mended: whoever roams finds the session it had last, wherever it comes to.
        for (int i = 0; i < (steps > 0 ? 2 : 0) && HasSettled; i++)
        {
            foreach (SimClient roamer in Clients.Where(one => one.IsRoaming)) roamer.Disconnect();
            Settle();
        }

        return this;
    }

    private void Step()
    {
        _steps++;
        int kind = _random.Next(100);
        SimNode node = Nodes[_random.Next(Nodes.Count)];
        if (kind < 40) MoveSomething();
        else if (kind < 52) Commit(node, _random.Next(1, 6));
        else if (kind < 66) Clients[_random.Next(Clients.Count)].Act();
        else if (kind < 74) Publish(node);
        else if (kind < 82) PublishRetained(node);
        else if (kind < 89) Pass(_random.Next(1, 700));
        else if (kind < 94) Dial();
        else if (kind < 96) ConnectSomebody();
        else Disturb(node);
        AfterStep();
    }

    private void ConnectSomebody()
    {
        if (_random.Next(2) == 0) Rivals[_random.Next(Rivals.Count)].Act();
        foreach (SimClient client in Clients.Where(one => one.IsRoaming || _random.Next(4) == 0)) client.Connect();
    }

    private void Disturb(SimNode node)
    {
        switch (_random.Next(9))
        {
            case 0 or 1 when node.IsUp:
                node.Crash();
                Note($"crash {node.Number}");
                break;
            case 2 or 3 when !node.IsUp:
                Start(node);
                break;
            case 4 when Network.Connections.Count > 0:
                Network.Reset(Network.Connections[_random.Next(Network.Connections.Count)]);
                break;
            case 5 when Network.Connections.Count > 0:
                SimConnection stalled = Network.Connections[_random.Next(Network.Connections.Count)];
                if (_random.Next(2) == 0) stalled.StalledToHigh = _random.Next(60);
                else stalled.StalledToLow = _random.Next(60);
                break;
            case 6:
                (SimNode low, SimNode high) = Pair();
                Network.Cut(low, high);
                Voters?.Cut(low.Number, high.Number, isCut: true);
                break;
            case 7:
                (SimNode one, SimNode other) = Pair();
                Network.Mend(one, other);
                Voters?.Cut(one.Number, other.Number, isCut: false);
                break;
            case 8 when node.IsUp:
                node.Journal.Condition = node.Journal.Condition == JournalCondition.Ready ? JournalCondition.Failing : JournalCondition.Ready;
                break;
            default:
                Clients[_random.Next(Clients.Count)].Disconnect();
                break;
        }
    }

    private void Start(SimNode node)
    {
        node.Start();
        Note($"start {node.Number}, ordinal {node.Broker.Retained.LastOrdinal}");
    }

    private void AfterStep()
    {
        Voters?.Step();
        Network.Sweep();
        foreach (SimNode node in Nodes)
        {
            if (node.IsUp && _random.Next(3) == 0) node.RunIfAsked();
        }

        NoteAcknowledgements();
        foreach (SimClient client in Clients) client.Look();
        foreach (SimRival rival in Rivals) rival.Rest();
    }

    private void NoteAcknowledgements()
    {
        foreach (Sent sent in Published)
        {
            bool isThere = sent.Node.IsUp && sent.Node.Starts == sent.Start;
            if (isThere && sent.Completion is null or { IsDone: true }) sent.IsAcknowledged = true;
        }

        foreach ((SimNode node, int start, string topic, long stamp, Completion completion) in RetainedUnderWay.FindAll(one => one.Completion.IsDone))
        {
            if (node.IsUp && node.Starts == start) Promise(topic, stamp);
        }

        RetainedUnderWay.RemoveAll(one => one.Completion.IsDone || !one.Node.IsUp || one.Node.Starts != one.Start);
    }

    private void Promise(string topic, long stamp) => RetainedStamps[topic] = Math.Max(RetainedStamps.GetValueOrDefault(topic), stamp);

    private (SimNode Low, SimNode High) Pair()
    {
        int low = _random.Next(Nodes.Count - 1);
        return (Nodes[low], Nodes[_random.Next(low + 1, Nodes.Count)]);
    }

    private void Dial()
    {
        (SimNode low, SimNode high) = Pair();
        Network.Dial(low, high);
    }

    private void MoveSomething()
    {
        if (Network.Connections.Count == 0) Dial();
        else SimNetwork.Move(Network.Connections[_random.Next(Network.Connections.Count)], _random, _random.Next(2) == 0 ? 40 : 4_000);
    }

    private static void Commit(SimNode node, int count)
    {
        if (node.IsUp && node.Journal.Condition == JournalCondition.Ready) node.Journal.Commit(count);
    }

    private void Publish(SimNode node)
    {
        if (!node.IsUp) return;
        string topic = "t/" + _random.Next(Topics);
        int number = ++_number;
        string payload = string.Create(CultureInfo.InvariantCulture, $"{node.Number}-{number}{(_random.Next(20) == 0 ? new string('.', 5_000) : "")}");
        var qos = (QoS)_random.Next(1, 3);
        List<SimClient> owed = Clients.FindAll(client =>
            client.IsSubscribed && !client.IsInDoubt && client.Owing.Contains(node.Number) && TopicFilter.Matches(Bytes(client.Filter), Bytes(topic)));
        bool isOwedToGroup = Clients.Exists(client =>
            client.IsSubscribed && client.Owing.Contains(node.Number) && TopicFilter.IsShared(Bytes(client.Filter)));
        PublishOutcome outcome = node.Broker.Publish(new Publication { Topic = Bytes(topic), Payload = Bytes(payload), QoS = qos }, node.Context);
        if (outcome.IsHeld) return;
        Note($"{payload[..Math.Min(8, payload.Length)]} QoS {(int)qos} on {node.Number} for {string.Join(' ', owed.Select(one => one.Id))}");
        Published.Add(new Sent(node, node.Starts, topic, payload, qos, number, outcome.Completion, owed) { IsOwedToGroup = isOwedToGroup });
    }

    private void PublishRetained(SimNode node)
    {
        if (!node.IsUp) return;
        byte[] topic = Bytes("r/" + _random.Next(Topics));
        byte[] payload = _random.Next(3) == 0 ? [] : Bytes("v" + ++_number);
        var qos = (QoS)_random.Next(3);
        PublishOutcome outcome = node.Broker.Publish(new Publication { Topic = topic, Payload = payload, QoS = qos, Retain = true }, node.Context);
        if (outcome.Reason.IsError()) return;
        Message? set = node.Broker.Retained.Look(topic);
        if (set is null || !set.Payload.AsSpan().SequenceEqual(payload))
        {
            Faults.Add($"retained: a publish to {Text(topic)} on node {node.Number} took no effect there");
            return;
        }

        Note($"retained {Text(topic)} = {Text(payload)} {set.Stamp.Value} on {node.Number}, ordinal {set.Ordinal}");
        if (!Stamps.Add(set.Stamp.Value)) Faults.Add($"retained: the stamp {set.Stamp.Value} was given twice");
        if (qos != QoS.AtMostOnce && outcome.Completion is { } completion)
        {
            RetainedUnderWay.Add((node, node.Starts, Text(topic), set.Stamp.Value, completion));
        }

        if (set.IsTombstone && Has(Mutation.TombstoneAtOnce)) node.Broker.Retained.Forget(set);
    }

    /// <summary>Time passes.</summary>
    public void Pass(int milliseconds)
    {
        for (int i = 0; i < milliseconds / 100; i++) Voters?.Step();
        foreach (SimNode node in Nodes) node.Advance(milliseconds + _random.Next(3));
    }

    /// <summary>Mends everything, and waits until nothing happens any more.</summary>
    public void Settle()
    {
        Note("settle");
        Network.Heal();
        foreach ((SimNode low, SimNode high) in Nodes.SelectMany(one => Nodes.Where(two => two.Number > one.Number).Select(two => (one, two))))
        {
            Voters?.Cut(low.Number, high.Number, isCut: false);
        }

        foreach (SimNode node in Nodes)
        {
            if (!node.IsUp) Start(node);
            node.Journal.Condition = JournalCondition.Ready;
        }

        int quiet = 0;
        HasSettled = false;
        for (int round = 0; round < SettleRounds && quiet < 3; round++)
        {
            quiet = SettleOnce() ? quiet + 1 : 0;
            HasSettled = quiet == 3;
        }
    }

    private bool SettleOnce()
    {
        Pass(300);
        foreach (SimNode low in Nodes)
        {
            foreach (SimNode high in Nodes.Where(high => high.Number > low.Number)) Network.Dial(low, high);
        }

        bool isDelivered = false;
        for (int i = 0; i < 20 && !isDelivered; i++)
        {
            foreach (SimConnection connection in Network.Connections.ToArray()) connection.MoveAll();
            isDelivered = Network.Connections.All(one => one.IsQuiet);
        }

        foreach (SimNode node in Nodes)
        {
            Commit(node, int.MaxValue);
            node.RunIfAsked();
        }

        bool hasWork = false;
        foreach (SimClient client in Clients)
        {
            client.Connect();
            for (int i = 0; i < 50 && (client.HasWork || !client.IsSubscribed); i++) client.Act();
            hasWork |= client.HasWork || !client.IsSubscribed || !client.IsConnected;
        }

        AfterStep();
        // A PING may be under way, and nothing else.
        return !hasWork && isDelivered && Nodes.TrueForAll(IsQuiet);
    }

    private static bool IsQuiet(SimNode node) =>
        !node.Journal.HasWork && node.Mesh.Peers.All(peer => peer is { Link: { IsLinked: true, Retained.IsIdle: true, Output.IsEmpty: true }, Inbox.Held: 0 }
            && peer.Outbox.PendingMessages == 0);
}
