namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>One of two devices that have the same client id, connect wherever they can, and read nothing.</summary>
internal sealed class SimRival(string id, World world)
{
    private SimSessionLink? _connection;
    private SimClaim? _claim;

    public void Act()
    {
        if (_connection is { IsClosed: true } or { IsThere: false })
        {
            _connection.Disconnect();
            _connection = null;
        }

        if (_claim is { IsThere: false }) _claim = null;
        if (_claim is { IsAnswered: true } claim)
        {
            _claim = null;
            if (!claim.TryEnter(out SimSessionLink? connection)) return;
            _connection = connection;
            world.Note($"{id} is on {claim.Node.Number}, kept {claim.IsKept}, clean {claim.IsClean}, found {connection.SessionPresent}");
        }
        else if (_connection is null && _claim is null && world.AnyNode() is { IsUp: true } node)
        {
            int kind = world.Next(4);
            _claim = new SimClaim(id, node, isClean: kind < 2, isKept: kind is 1 or 2, sawHome: false, sawStarts: false);
        }
    }

    /// <summary>Closes what is to be closed, and begins nothing.</summary>
    public void Rest()
    {
        if (_connection is { IsClosed: true } or { IsThere: false } || _claim is not null) Act();
    }
}
