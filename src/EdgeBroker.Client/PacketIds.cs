namespace EdgeBroker.Client;

/// <summary>The packet identifiers of one direction: each in use at most once, handed out in turn so that a late answer rarely meets a new owner.</summary>
internal sealed class PacketIds
{
    private readonly HashSet<ushort> _inUse = [];
    private ushort _last;

    /// <summary>Takes a free identifier; the callers' bounds keep some free.</summary>
    public ushort Rent()
    {
        do
        {
            _last = _last == ushort.MaxValue ? (ushort)1 : (ushort)(_last + 1);
        }
        while (!_inUse.Add(_last));
        return _last;
    }

    public void Return(ushort id) => _inUse.Remove(id);
}
