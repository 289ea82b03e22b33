using EdgeBroker.Cluster.State;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>What becomes of the wills of a node's clients when it dies, or is taken for dead, and comes back.</summary>
public sealed class WillTests
{
    [Fact]
    public void Every_will_of_a_dead_node_s_clients_is_published_once()
    {
        int published = 0;
        for (int seed = 1; seed <= 300; seed++)
        {
            WillWorld world = Run(seed, Mutation.None);
            List<string> faults = world.FindFaults();
            Assert.True(faults.Count == 0, $"seed {seed}: {string.Join("; ", faults)}\n{string.Join('\n', world.World.Notes)}");
            published += world.Owed;
        }

        Assert.True(published > 200, $"{published} wills were owed: that says nothing");
    }

    [Theory]
    [InlineData(Mutation.WillsByNobody, " 0 times")]
    [InlineData(Mutation.WillsByEverybody, " 2 times")]
    [InlineData(Mutation.OwnDeathUnknown, " 2 times")]
    internal void A_mutation_is_found(Mutation mutation, string kind)
    {
        const int Most = 300;
        for (int seed = 1; seed <= Most; seed++)
        {
            if (Run(seed, mutation).FindFaults().Exists(fault => fault.Contains(kind, StringComparison.Ordinal))) return;
        }

        Assert.Fail($"{mutation} was not found by {Most} seeds");
    }

    [Fact]
    public void Another_node_goes_on_when_the_one_dies_that_is_to_publish()
    {
        var world = new WillWorld(VoterWorld.Begin());
        Mourner waits = world.Enter(world.Nodes[2], "waits", isKept: true, delaySeconds: 20);
        world.World.PassSlowly(1_000);
        world.Nodes[2].Crash();
        world.World.PassUntil(() => Task(world, 1) == 1);
        // Two of three must vote.
        world.Nodes[2].Start();
        world.World.PassUntil(() => world.IsUp(world.Nodes[2], 2));
        world.Nodes[0].Crash();
        world.World.PassUntil(() => Task(world, 1) == 2);
        Assert.Equal(0, world.Heard(waits));
        world.World.PassSlowly(25_000);
        world.End();
        Assert.Equal(1, world.Heard(waits));
    }

    [Fact]
    public void Without_a_majority_nobody_publishes_for_another()
    {
        var world = new WillWorld(VoterWorld.Begin());
        Mourner one = world.Enter(world.Nodes[2], "one", isKept: false, delaySeconds: 0);
        world.World.PassSlowly(1_000);
        world.Nodes[1].Crash();
        world.Nodes[2].Crash();
        world.World.PassSlowly(30_000);
        Assert.Equal(0, world.Heard(one));
        // Back, its own node does, whom nobody has taken for dead.
        world.Nodes[1].Start();
        world.Nodes[2].Start();
        world.World.PassSlowly(25_000);
        world.End();
        Assert.Equal(1, world.Heard(one));
    }

    [Fact]
    public void What_is_above_the_bound_is_not_copied_and_is_counted()
    {
        var world = new WillWorld(VoterWorld.Begin());
        world.Enter(world.Nodes[2], "large", isKept: true, delaySeconds: 0, bytes: 3_000_000);
        world.Enter(world.Nodes[2], "second", isKept: true, delaySeconds: 0, bytes: 2_000_000);
        Mourner small = world.Enter(world.Nodes[2], "small", isKept: true, delaySeconds: 0);
        world.World.PassUntil(() => world.Nodes[0].Mesh.Status.Wills is { Copies: 2 });
        Assert.Equal(1, world.Nodes[2].Mesh.Status.Wills!.Value.NotCopied);
        world.SayGoodbye(small);
        world.World.PassUntil(() => world.Nodes[0].Mesh.Status.Wills is { Copies: 1 });
    }

    // Who publishes the wills of node 3, as a node has it.
    private static byte Task(WillWorld world, int asked) => world.World.Voters!.Members[world.Nodes[asked].Number].View.Members[3].WillsBy;

    private static WillWorld Run(int seed, Mutation mutation)
    {
        var random = new Random(seed);
        var world = new WillWorld(VoterWorld.Begin(seed: seed, mutation: mutation));
        SimNode dying = world.Nodes[random.Next(3)];
        for (int i = 0; i < 5; i++)
        {
            SimNode node = random.Next(3) == 0 ? world.Nodes[random.Next(3)] : dying;
            world.Enter(node, "mourner" + i, isKept: random.Next(2) == 0, delaySeconds: random.Next(3) switch { 0 => 3, 1 => 20, _ => 0 });
        }

        world.World.PassSlowly(random.Next(3, 20) * 100);
        foreach (Mourner one in world.Mourners)
        {
            if (random.Next(6) == 0) world.SayGoodbye(one);
            else if (random.Next(6) == 0) world.Break(one);
        }

        world.World.PassSlowly(random.Next(5, 40) * 100);
        bool isAlive = random.Next(3) == 0;
        if (isAlive) world.CutOff(dying);
        else dying.Crash();
        for (int i = 0; i < random.Next(20); i++)
        {
            world.World.PassSlowly(random.Next(12) * 100);
            Mourner one = world.Mourners[random.Next(5)];
            if (one.Node == dying && random.Next(3) == 0) world.ComeTo(one, world.Nodes.First(node => node != dying));
        }

        if (isAlive) world.World.Network.Heal();
        world.World.PassSlowly(random.Next(20) * 100);
        world.Died(dying, isAlive);
        world.End();
        return world;
    }
}

/// <summary>A client with a will.</summary>
internal sealed class Mourner(string name, SimNode node)
{
    public string Name => name;

    public SimNode Node => node;

    public required SimSessionLink Connection { get; init; }

    /// <summary>How often its will is to be published at least, and at most.</summary>
    public (int Least, int Most) Owed { get; set; }

    /// <summary>Whether it has gone, or is on another node by now.</summary>
    public bool IsDone { get; set; }
}

/// <summary>Three nodes that vote, with clients that have wills, and one on each node that hears them.</summary>
internal sealed class WillWorld
{
    private readonly List<Mourner> _mourners = [];
    private readonly List<(SimClaim Claim, Mourner Mourner)> _claims = [];

    public WillWorld(World world)
    {
        World = world;
        foreach (SimNode node in world.Nodes) world.Clients.Add(new SimClient("watch" + node.Number, node, "will/#", QoS.ExactlyOnce));
        world.Settle();
    }

    public World World { get; }

    public List<SimNode> Nodes => World.Nodes;

    public List<Mourner> Mourners => _mourners;

    /// <summary>Wills that were to be published.</summary>
    public int Owed => _mourners.Sum(one => one.Owed.Least);

    public bool IsUp(SimNode node, long incarnation) => World.StateOf(node) == (MemberState.Up, incarnation);

    public Mourner Enter(SimNode node, string name, bool isKept, int delaySeconds, int bytes = 0)
    {
        SimClaim claim = Claim(node, name, isKept, delaySeconds, name + (bytes > 0 ? new string('.', bytes) : ""));
        World.PassUntil(() => claim.IsAnswered);
        Assert.True(claim.TryEnter(out SimSessionLink? connection));
        World.Note($"{name} has a will on {node.Number}, kept {isKept}, delay {delaySeconds}");
        var mourner = new Mourner(name, node) { Connection = connection };
        _mourners.Add(mourner);
        return mourner;
    }

    /// <summary>It leaves as it should: nothing is published.</summary>
    public void SayGoodbye(Mourner one)
    {
        World.Note($"{one.Name} says goodbye");
        one.Connection.Disconnect();
        one.IsDone = true;
    }

    /// <summary>Its connection breaks: the will is due after its delay, whoever publishes it.</summary>
    public void Break(Mourner one)
    {
        if (one.IsDone) return;
        World.Note($"{one.Name} breaks");
        one.Connection.Break();
        (one.Owed, one.IsDone) = ((1, 1), true);
    }

    /// <summary>It comes to another node: what its first will has not been published by then is not.</summary>
    public void ComeTo(Mourner one, SimNode node)
    {
        if (one.IsDone) return;
        World.Note($"{one.Name} comes to {node.Number}");
        _claims.Add((Claim(node, one.Name, isKept: false, delaySeconds: 0, one.Name + "/second"), one));
        World.PassSlowly(300);
        (SimClaim claim, _) = _claims[^1];
        if (claim.IsAnswered && claim.TryEnter(out _)) (one.Owed, one.IsDone) = ((0, 1), true);
        else claim.Abandon();
    }

    public void CutOff(SimNode node)
    {
        foreach (SimNode other in Nodes.Where(other => other != node)) Set(node, other, isCut: true);
    }

    /// <summary>A node died, or was out of sight: what was to be published of its clients' wills.</summary>
    public void Died(SimNode node, bool isAlive)
    {
        if (isAlive) Nodes.Where(other => other != node).ToList().ForEach(other => Set(node, other, isCut: false));
        else if (!node.IsUp) node.Start();
        World.PassUntil(() => World.StateOf(node).State == MemberState.Up);
        World.PassSlowly(1_000);
        bool wasFoundDead = World.StateOf(node).Incarnation > 1;
        foreach (Mourner one in _mourners.Where(one => one.Node == node && !one.IsDone)) one.Owed = !isAlive || wasFoundDead ? (1, 1) : (0, 0);
    }

    /// <summary>All is mended, and every delay is over.</summary>
    public void End()
    {
        World.PassSlowly(25_000);
        World.Settle();
        World.PassSlowly(25_000);
        World.Settle();
        Assert.True(World.HasSettled);
    }

    /// <summary>How often a will was heard, where it was heard most often.</summary>
    public int Heard(Mourner one) => World.Clients.Max(client => client.Received.Count(payload => payload == one.Name));

    public List<string> FindFaults()
    {
        List<string> faults = [];
        foreach (Mourner one in _mourners)
        {
            foreach (SimClient client in World.Clients)
            {
                int heard = client.Received.Count(payload => payload == one.Name);
                if (heard < one.Owed.Least || heard > one.Owed.Most)
                {
                    faults.Add($"{client.Id} has heard the will of {one.Name} {heard} times, {one.Owed.Least} to {one.Owed.Most} expected");
                }
            }
        }

        return faults;
    }

    private static SimClaim Claim(SimNode node, string name, bool isKept, int delaySeconds, string payload)
    {
        var message = new Message { Topic = Simulation.World.Bytes("will/" + name), Payload = Simulation.World.Bytes(payload), QoS = QoS.ExactlyOnce };
        return new SimClaim(name, node, isClean: !isKept, isKept, sawHome: true, sawStarts: true)
        {
            Will = new Will(message, (uint)delaySeconds, ExpirySeconds: null),
        };
    }

    private void Set(SimNode one, SimNode other, bool isCut)
    {
        if (isCut) World.Cut(one, other);
        World.Voters!.Cut(one.Number, other.Number, isCut);
    }
}
