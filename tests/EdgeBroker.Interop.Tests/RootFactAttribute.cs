namespace EdgeBroker.Interop.Tests;

/// <summary>A test that becomes another user, which only root may; anyone else's run shows it as skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute()
    {
        if (!Environment.IsPrivilegedProcess) Skip = "only root may become another user";
    }
}
