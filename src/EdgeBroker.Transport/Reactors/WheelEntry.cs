namespace EdgeBroker.Transport.Reactors;

/// <summary>A place in a <see cref="TimerWheel"/>; the wheel alone changes it.</summary>
internal sealed class WheelEntry(ReactorConnection owner)
{
    /// <summary>Whose deadline it is.</summary>
    public readonly ReactorConnection Owner = owner;

    public WheelEntry? Previous;
    public WheelEntry? Next;
    public int Slot = -1;
    public long DueMs = long.MaxValue;
}
