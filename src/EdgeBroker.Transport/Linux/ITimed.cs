namespace EdgeBroker.Transport.Linux;

/// <summary>What has a deadline in a <see cref="TimerWheel"/>. It carries its own place there, so that an idle connection needs no object for it.</summary>
public interface ITimed
{
    /// <summary>Its place, made by <c>new TimerPlace()</c>; the wheel alone changes it.</summary>
    ref TimerPlace Place { get; }
}

/// <summary>Where something stands in a <see cref="TimerWheel"/>.</summary>
public struct TimerPlace
{
    /// <summary>In no slot, without a deadline.</summary>
    public TimerPlace()
    {
    }

    /// <summary>The deadline; <see cref="long.MaxValue"/>: none.</summary>
    public long DueMs { get; internal set; } = long.MaxValue;

    /// <summary>The one before it in its slot.</summary>
    internal ITimed? Previous { get; set; }

    /// <summary>The one behind it in its slot.</summary>
    internal ITimed? Next { get; set; }

    /// <summary>Its slot; -1: none.</summary>
    internal int Slot { get; set; } = -1;
}
