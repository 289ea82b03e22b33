namespace EdgeBroker.Http.Access;

/// <summary>
/// How often one may ask, by any name. A bounded number of names is remembered; one whose allowance is whole again is forgotten first.
/// </summary>
/// <param name="perSecond">Requests a second in the long run.</param>
/// <param name="burst">Requests at once.</param>
/// <param name="time">The clock.</param>
internal sealed class RequestRates(double perSecond, double burst, TimeProvider time)
{
    private const int MostNames = 4_096;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (double Left, long At)> _left = new(StringComparer.Ordinal);

    /// <summary>Takes a request from a name's allowance.</summary>
    /// <param name="name">Whose.</param>
    /// <param name="isTaken">Whether to take it, rather than to look.</param>
    /// <returns>After how many seconds there is one; 0: there was.</returns>
    public int Ask(string name, bool isTaken = true)
    {
        lock (_lock)
        {
            double left = LeftOf(name);
            if (left < 1) return Math.Max(1, (int)Math.Ceiling((1 - left) / perSecond));
            if (!isTaken) return 0;
            if (_left.Count >= MostNames && !_left.ContainsKey(name)) MakeRoom();
            _left[name] = (left - 1, time.GetTimestamp());
            return 0;
        }
    }

    private double LeftOf(string name) =>
        _left.TryGetValue(name, out (double Left, long At) known)
            ? Math.Min(burst, known.Left + (time.GetElapsedTime(known.At).TotalSeconds * perSecond))
            : burst;

    private void MakeRoom()
    {
        string[] whole = [.. _left.Keys.Where(name => LeftOf(name) >= burst)];
        foreach (string name in whole) _left.Remove(name);
        if (_left.Count >= MostNames) _left.Remove(_left.MinBy(one => one.Value.At).Key);
    }
}
