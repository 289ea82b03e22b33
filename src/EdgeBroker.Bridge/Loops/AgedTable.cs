using System.Diagnostics.CodeAnalysis;

namespace EdgeBroker.Bridge.Loops;

/// <summary>
/// Remembers values by key for a time, in bounded memory: two generations, of which the older is forgotten as a whole when the younger is old, or full. One
/// thread at a time.
/// </summary>
/// <param name="lifetimeMs">How long a value is surely remembered, while there is room.</param>
/// <param name="capacity">Keys in a generation.</param>
internal sealed class AgedTable<TValue>(long lifetimeMs, int capacity)
    where TValue : class
{
    private Dictionary<ulong, TValue> _young = [];
    private Dictionary<ulong, TValue> _old = [];
    private long _turnedAtMs;

    /// <summary>Finds a value.</summary>
    public bool TryFind(ulong key, long nowMs, [MaybeNullWhen(false)] out TValue value)
    {
        if (nowMs - _turnedAtMs >= lifetimeMs) Turn(nowMs);
        return _young.TryGetValue(key, out value) || _old.TryGetValue(key, out value);
    }

    /// <summary>Remembers a value.</summary>
    public void Set(ulong key, TValue value, long nowMs)
    {
        if (nowMs - _turnedAtMs >= lifetimeMs || (_young.Count >= capacity && !_young.ContainsKey(key))) Turn(nowMs);
        _old.Remove(key);
        _young[key] = value;
    }

    /// <summary>Forgets a value.</summary>
    public void Remove(ulong key)
    {
        _young.Remove(key);
        _old.Remove(key);
    }

    private void Turn(long nowMs)
    {
        long age = nowMs - _turnedAtMs;
        (_old, _young) = (_young, _old);
        _young.Clear();
        if (age >= 2 * lifetimeMs) _old.Clear();
        _turnedAtMs = nowMs;
    }
}
