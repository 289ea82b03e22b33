using System.Collections.Concurrent;

namespace EdgeBroker.Core.Limits;

/// <summary>
/// Who holds what stays: users, and for anonymous clients their addresses. Without a bound for each, one client fills what there is for all. Whoever holds
/// nothing any more is forgotten. Any thread.
/// </summary>
public sealed class HolderTable
{
    // Looked at in one call.
    private const int HoldersPerSweep = 256;

    private readonly ConcurrentDictionary<HolderKey, Holder> _holders = new();
    private readonly ConcurrentDictionary<int, Holder> _byId = new();
    private IEnumerator<KeyValuePair<HolderKey, Holder>>? _sweep;
    private int _lastId;

    /// <summary>Holders known.</summary>
    public int Count => _byId.Count;

    /// <summary>What a user holds; null: nothing.</summary>
    /// <param name="userName">The user; null: an anonymous client.</param>
    /// <param name="network">An anonymous client's address.</param>
    public Holder? Find(string? userName, ClientNetwork network) => _holders.GetValueOrDefault(new HolderKey(userName, network));

    /// <summary>The same, kept from being forgotten until it is released; null: an anonymous client without an address.</summary>
    internal Holder? Use(string? userName, ClientNetwork network) => Use(new HolderKey(userName, network));

    /// <summary>The same by whose account it is; as the store knows it.</summary>
    internal Holder? Use(HolderKey key)
    {
        if (key == default) return null;
        while (true)
        {
            if (_holders.TryGetValue(key, out Holder? holder))
            {
                if (holder.TryUse()) return holder;
                // Forgotten just now.
                _holders.TryRemove(new KeyValuePair<HolderKey, Holder>(key, holder));
                continue;
            }

            holder = new Holder(Interlocked.Increment(ref _lastId), key);
            holder.TryUse();
            _byId[holder.Id] = holder;
            if (_holders.TryAdd(key, holder)) return holder;
            _byId.TryRemove(holder.Id, out _);
        }
    }

    /// <summary>The holder of a retained message; null: nobody.</summary>
    internal Holder? Find(int id) => id == 0 ? null : _byId.GetValueOrDefault(id);

    /// <summary>Forgets some of those that hold nothing, and goes on with others the next time. By one thread.</summary>
    internal void Sweep()
    {
        _sweep ??= _holders.GetEnumerator();
        for (int i = 0; i < HoldersPerSweep; i++)
        {
            if (!_sweep.MoveNext())
            {
                _sweep.Dispose();
                _sweep = null;
                return;
            }

            (HolderKey key, Holder holder) = _sweep.Current;
            if (!holder.TryForget()) continue;
            _holders.TryRemove(new KeyValuePair<HolderKey, Holder>(key, holder));
            _byId.TryRemove(holder.Id, out _);
        }
    }
}
