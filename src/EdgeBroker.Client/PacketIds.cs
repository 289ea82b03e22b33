namespace EdgeBroker.Client;

/// <summary>The packet identifiers of one direction: each in use at most once, handed out in turn so that a late answer rarely meets a new owner.</summary>
/// <param name="first">The first of those that are handed out, from which on all are.</param>
internal sealed class PacketIds(ushort first = 1)
{
    private readonly HashSet<ushort> _inUse = [];
    private ushort _last = (ushort)(first - 1);

    /// <summary>Takes a free identifier; the callers' bounds keep some free.</summary>
    public ushort Rent()
    {
        do
        {
            _last = _last == ushort.MaxValue ? first : (ushort)(_last + 1);
        }
        while (!_inUse.Add(_last));
        return _last;
    }

    /// <summary>Whether there is one for a message, and one left for what is no message.</summary>
    public bool HasRoom => _inUse.Count < ushort.MaxValue - first;

    public void Return(ushort id) => _inUse.Remove(id);
}
