namespace EdgeBroker.Crash.Tests.Clients;

/// <summary>When a subscriber is there.</summary>
public enum Attendance
{
    /// <summary>As long as the broker is.</summary>
    Always,

    /// <summary>Comes and goes by itself, with and without saying so.</summary>
    ComesAndGoes,

    /// <summary>Subscribes and leaves; comes back to fetch what waits when the run ends.</summary>
    Away,
}
