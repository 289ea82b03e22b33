using System.Diagnostics;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Hostile.Tests;

/// <summary>The unit as it is shipped, under a systemd booted in namespaces of its own: see <c>Systemd/scenarios.sh</c>.</summary>
public sealed class SystemdTests
{
    [SystemdFact]
    public async Task The_unit_comes_back_by_itself_from_whatever_happens_to_gateways()
    {
        string script = Path.Combine(RepositoryRoot.Find(), "tests", "EdgeBroker.Hostile.Tests", "Systemd", "run.sh");
        var start = new ProcessStartInfo("bash", [script, PublishedBinary.Of(PublishedBinary.HostRid).Path]) { RedirectStandardOutput = true };
        using Process run = Process.Start(start)!;
        string said = await run.StandardOutput.ReadToEndAsync();
        await run.WaitForExitAsync();
        Assert.True(run.ExitCode == 0, said);
        Assert.Contains("ok a late address is listened on", said, StringComparison.Ordinal);
    }
}
