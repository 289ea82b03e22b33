using EdgeBroker.Configuration.Toml;

namespace EdgeBroker.Configuration;

/// <summary>Collects everything wrong with a configuration, so that all of it is shown at once.</summary>
internal sealed class ConfigurationErrors
{
    private readonly List<(SourcePosition Position, string Problem)> _errors = [];

    public int Count => _errors.Count;

    public void Add(SourcePosition position, string problem) => _errors.Add((position, problem));

    /// <summary>Drops the errors of this collection that <paramref name="isNoise"/> names, from index <paramref name="start"/> on.</summary>
    public void Drop(int start, Predicate<SourcePosition> isNoise)
    {
        for (int i = _errors.Count - 1; i >= start; i--)
        {
            if (isNoise(_errors[i].Position)) _errors.RemoveAt(i);
        }
    }

    /// <summary>One line each, in the order of the files and of the places in them.</summary>
    public string[] ToLines()
    {
        // Sorted by index as well: List.Sort is not stable, and two errors may share a place.
        var order = new int[_errors.Count];
        for (int i = 0; i < order.Length; i++) order[i] = i;
        Array.Sort(order, (a, b) =>
        {
            int byPosition = _errors[a].Position.CompareTo(_errors[b].Position);
            return byPosition != 0 ? byPosition : a.CompareTo(b);
        });
        var lines = new string[order.Length];
        for (int i = 0; i < lines.Length; i++) lines[i] = $"{_errors[order[i]].Position}: {_errors[order[i]].Problem}";
        return lines;
    }
}
