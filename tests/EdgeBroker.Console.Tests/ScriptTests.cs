using System.Diagnostics;
using EdgeBroker.Console.Tests.Rig;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Console.Tests;

/// <summary>The console's own tests, which run in node, and its types.</summary>
public sealed class ScriptTests
{
    [Fact]
    public async Task The_tests_of_its_scripts_pass()
    {
        using var node = new ChildProcess(new ProcessStartInfo("node", ["test.mjs"]) { WorkingDirectory = Here.Web });
        Assert.True(await node.ExitAsync() == 0, node.Said);
        Assert.Matches(@"(?m)^(#|ℹ) pass [1-9]", node.Said);
        Assert.Matches(@"(?m)^(#|ℹ) fail 0", node.Said);
    }

    [Fact]
    public async Task Its_types_fit()
    {
        using var compiler = new ChildProcess(new ProcessStartInfo("npx", ["--no-install", "tsc", "--noEmit"]) { WorkingDirectory = Here.Web });
        Assert.True(await compiler.ExitAsync() == 0, compiler.Said);
    }
}
