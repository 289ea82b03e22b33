using EdgeBroker.Cluster.Links;

namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>Connections between nodes: bytes in order, cut anywhere, delayed, stopped in one direction, lost at the end.</summary>
internal sealed class SimNetwork(World world)
{
    private readonly List<SimConnection> _connections = [];
    private readonly HashSet<(byte, byte)> _cut = [];

    public IReadOnlyList<SimConnection> Connections => _connections;

    /// <summary>Connects two nodes, if they can be and are not.</summary>
    public void Dial(SimNode low, SimNode high)
    {
        if (!low.IsUp || !high.IsUp || _cut.Contains((low.Number, high.Number))) return;
        if (_connections.Exists(one => one.Is(low, high))) return;
        _connections.Add(new SimConnection(low, high));
    }

    public void Cut(SimNode low, SimNode high) => _cut.Add((low.Number, high.Number));

    public void Heal() => _cut.Clear();

    public void Mend(SimNode low, SimNode high) => _cut.Remove((low.Number, high.Number));

    /// <summary>Moves some bytes of a connection.</summary>
    public static void Move(SimConnection connection, Random random, int most)
    {
        bool isForward = random.Next(2) == 0;
        connection.Move(isForward, random, most);
    }

    /// <summary>Ends what is over on one side, or is between nodes that are cut off from each other.</summary>
    public void Sweep()
    {
        foreach (SimConnection one in _connections.ToArray())
        {
            if (one.IsOver || _cut.Contains((one.Low.Number, one.High.Number))) Reset(one);
        }
    }

    /// <summary>Loses what is under way.</summary>
    public void Reset(SimConnection connection)
    {
        _connections.Remove(connection);
        connection.End();
        world.Note($"reset {connection.Low.Number}-{connection.High.Number}");
    }
}

/// <summary>A connection between a life of one node and a life of another.</summary>
internal sealed class SimConnection
{
    private readonly Queue<byte[]> _toHigh = new();
    private readonly Queue<byte[]> _toLow = new();
    private readonly MeshNode _lowMesh;
    private readonly MeshNode _highMesh;
    private readonly PeerLink _lowLink;
    private readonly PeerLink _highLink;

    public SimConnection(SimNode low, SimNode high)
    {
        (Low, High) = (low, high);
        (_lowMesh, _highMesh) = (low.Mesh, high.Mesh);
        _highLink = _highMesh.Open(expected: null, isDialed: false, static () => { });
        _lowLink = _lowMesh.Open(high.Number, isDialed: true, static () => { });
    }

    public SimNode Low { get; }

    public SimNode High { get; }

    /// <summary>Steps for which nothing goes to the node with the higher number, and to the other.</summary>
    public int StalledToHigh { get; set; }

    public int StalledToLow { get; set; }

    // What a closed link had still to say comes first.
    public bool IsOver => !IsOfThisLife || (_lowLink.IsClosed && _toHigh.Count == 0) || (_highLink.IsClosed && _toLow.Count == 0);

    public bool IsQuiet => _toHigh.Count == 0 && _toLow.Count == 0 && _lowLink.Output.IsEmpty && _highLink.Output.IsEmpty;

    private bool IsOfThisLife => Low.IsUp && High.IsUp && ReferenceEquals(Low.Mesh, _lowMesh) && ReferenceEquals(High.Mesh, _highMesh);

    public bool Is(SimNode low, SimNode high) => ReferenceEquals(Low, low) && ReferenceEquals(High, high);

    /// <summary>Moves all there is, both ways.</summary>
    public void MoveAll()
    {
        (StalledToHigh, StalledToLow) = (0, 0);
        Move(toHigh: true, random: null, int.MaxValue);
        Move(toHigh: false, random: null, int.MaxValue);
    }

    /// <summary>Moves some bytes; all of them without chance.</summary>
    public void Move(bool toHigh, Random? random, int most)
    {
        if (!IsOfThisLife) return;
        if (toHigh && StalledToHigh > 0)
        {
            StalledToHigh--;
            return;
        }

        if (!toHigh && StalledToLow > 0)
        {
            StalledToLow--;
            return;
        }

        Queue<byte[]> way = toHigh ? _toHigh : _toLow;
        PeerLink from = toHigh ? _lowLink : _highLink;
        while (from.TryTake(out ReadOnlyMemory<byte> bytes)) way.Enqueue(bytes.ToArray());
        if (way.Count == 0) return;
        byte[] all = [.. way.SelectMany(one => one)];
        way.Clear();
        int taken = random?.Next(1, Math.Min(all.Length, most) + 1) ?? all.Length;
        if (taken < all.Length) way.Enqueue(all[taken..]);
        if (toHigh) _highMesh.Receive(_highLink, all.AsSpan(0, taken));
        else _lowMesh.Receive(_lowLink, all.AsSpan(0, taken));
    }

    public void End()
    {
        if (Low.IsUp && ReferenceEquals(Low.Mesh, _lowMesh)) _lowMesh.Close(_lowLink, "reset");
        if (High.IsUp && ReferenceEquals(High.Mesh, _highMesh)) _highMesh.Close(_highLink, "reset");
    }
}
