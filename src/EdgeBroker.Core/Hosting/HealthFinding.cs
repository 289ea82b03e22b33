namespace EdgeBroker.Core.Hosting;

/// <summary>How one part of the broker is.</summary>
public enum HealthState
{
    /// <summary>As it should be.</summary>
    Good,

    /// <summary>It works, and somebody should look at it before it does not.</summary>
    Warning,

    /// <summary>What the broker promises, it cannot do at the moment.</summary>
    Failing,
}

/// <summary>What was found of one part.</summary>
/// <param name="Part">Its name, in lower case.</param>
/// <param name="State">How it is.</param>
/// <param name="Detail">One sentence without a full stop.</param>
public sealed record HealthFinding(string Part, HealthState State, string Detail);
