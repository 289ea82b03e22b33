namespace EdgeBroker.Storage.Tests;

/// <summary>A test that mounts a disk of its own, which only root may; anyone else's run shows it as skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute()
    {
        if (!Environment.IsPrivilegedProcess) Skip = "only root may mount a disk";
    }
}
