using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;

namespace EdgeBroker.Bridge.Loops;

/// <summary>
/// Messages with an identity that come by several bridges are taken once, however late a copy comes: the last quarter of a million is remembered, and up to
/// twice as many, until the process ends. A message is known when it is kept: one that comes the same way again before that is sent again because it was not
/// acknowledged, and is taken. Any thread.
/// </summary>
/// <param name="capacity">Messages in a generation.</param>
internal sealed class IdentityWindow(int capacity = 1 << 18)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, Arrival> _arriving = [];
    private HashSet<ulong> _young = [];
    private HashSet<ulong> _old = [];

    /// <summary>Judges a message.</summary>
    /// <param name="key">What it is known by.</param>
    /// <param name="way">Who brings it.</param>
    public CopyVerdict Judge(ulong key, string way)
    {
        Arrival? arrival;
        lock (_lock.Alone())
        {
            if (_young.Contains(key) || _old.Contains(key)) return new CopyVerdict(true, null);
            if (_arriving.TryGetValue(key, out arrival))
            {
                bool isCopy = !arrival.Ways.Contains(way);
                if (isCopy) arrival.Ways.Add(way);
                return new CopyVerdict(isCopy, arrival);
            }

            // As many as are in flight, but for those of a store that has failed, which are never kept.
            if (_arriving.Count >= capacity) _arriving.Clear();
            arrival = new Arrival { Ways = { way } };
            _arriving.Add(key, arrival);
        }

        arrival.WhenDone(() => Settle(key));
        return new CopyVerdict(false, arrival);
    }

    private void Settle(ulong key)
    {
        lock (_lock.Alone())
        {
            _arriving.Remove(key);
            if (_young.Count >= capacity)
            {
                (_young, _old) = (_old, _young);
                _young.Clear();
            }

            _young.Add(key);
        }
    }

    /// <summary>A message on its way into this broker; done when it is kept.</summary>
    private sealed class Arrival : Completion
    {
        public List<string> Ways { get; } = new(1);
    }
}
