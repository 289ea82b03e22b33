namespace EdgeBroker.Core;

/// <summary>One reference that is replaced as a whole while any thread reads it: rules, users, settings that a reload changes.</summary>
/// <param name="current">The one to begin with.</param>
public sealed class Replaceable<T>(T current)
    where T : class
{
    private volatile T _current = current;

    /// <summary>The one in force.</summary>
    public T Current
    {
        get => _current;
        set => _current = value;
    }
}
