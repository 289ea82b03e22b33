namespace EdgeBroker.Hostile.Tests;

/// <summary>A test that boots systemd, for which it needs root and a few programs; elsewhere a run shows it as skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SystemdFactAttribute : FactAttribute
{
    private static readonly string[] Needed =
        ["/lib/systemd/systemd", "/usr/bin/systemd-sysusers", "/usr/bin/unshare", "/usr/bin/script", "/usr/bin/gcc", "/usr/sbin/ip"];

    public SystemdFactAttribute()
    {
        if (!Environment.IsPrivilegedProcess) Skip = "only root may boot a systemd in namespaces";
        else if (Needed.FirstOrDefault(program => !File.Exists(program)) is { } missing) Skip = $"there is no {missing}";
    }
}
