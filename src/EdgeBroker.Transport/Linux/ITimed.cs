namespace EdgeBroker.Transport.Linux;

/// <summary>
/// What has a deadline in a <see cref="TimerWheel"/>. It carries its own place there, so that an idle connection needs no object for it; the wheel alone
/// changes it.
/// </summary>
public interface ITimed
{
    /// <summary>The one before it in its slot.</summary>
    ITimed? Previous { get; set; }

    /// <summary>The one behind it in its slot.</summary>
    ITimed? Next { get; set; }

    /// <summary>Its slot; -1 at first: none.</summary>
    int Slot { get; set; }

    /// <summary>Its deadline; <see cref="long.MaxValue"/> at first: none.</summary>
    long DueMs { get; set; }
}
