namespace EdgeBroker.Hostile.Tests;

/// <summary>A test that mounts a disk of its own, which only root may; anyone else's run shows it as skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootTheoryAttribute : TheoryAttribute
{
    public RootTheoryAttribute()
    {
        if (!Environment.IsPrivilegedProcess) Skip = "only root may mount a disk";
    }
}
