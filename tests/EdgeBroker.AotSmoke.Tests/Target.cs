using System.Diagnostics;
using System.Runtime.InteropServices;

namespace EdgeBroker.AotSmoke.Tests;

/// <summary>
/// One published executable and how to start it here: natively, or the arm64 one under qemu. scripts/publish.sh makes them; the environment may name others:
/// EDGEBROKER_BINARY, EDGEBROKER_BINARY_ARM64 and EDGEBROKER_QEMU (a command and its options).
/// </summary>
internal sealed class Target
{
    public const string X64 = "linux-x64";
    public const string Arm64 = "linux-arm64";

    private readonly string[] _command;

    private Target(string rid, string binary, string[] emulator)
    {
        Rid = rid;
        Binary = binary;
        _command = [.. emulator, binary];
        Assert.True(File.Exists(binary), $"No {binary}: run scripts/publish.sh {rid}");
    }

    public string Rid { get; }

    public string Binary { get; }

    private static string Host => RuntimeInformation.OSArchitecture == Architecture.Arm64 ? Arm64 : X64;

    /// <summary>The targets that can be run here.</summary>
    public static string[] Rids => Host == X64 ? [X64, Arm64] : [Arm64];

    public static Target Of(string rid)
    {
        if (rid == Host)
            return new Target(rid, Variable("EDGEBROKER_BINARY") ?? Artifact(rid), []);
        string home = Variable("HOME") ?? "/root";
        string cache = Variable("XDG_CACHE_HOME") ?? Path.Combine(home, ".cache");
        string root = Variable("EDGEBROKER_ARM64_ROOT") ?? Path.Combine(cache, "edgebroker", "arm64-root");
        string[] qemu = Variable("EDGEBROKER_QEMU")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? ["qemu-aarch64-static", "-L", root];
        return new Target(rid, Variable("EDGEBROKER_BINARY_ARM64") ?? Artifact(rid), qemu);
    }

    public ProcessStartInfo Start(string workingDirectory, params string[] arguments)
    {
        var start = new ProcessStartInfo(_command[0])
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string part in _command.AsSpan(1))
            start.ArgumentList.Add(part);
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        // The test run may itself be a service; its children's log is ours to read as text.
        start.Environment.Remove("JOURNAL_STREAM");
        start.Environment.Remove("STATE_DIRECTORY");
        return start;
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static string Artifact(string rid)
    {
        string? root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "EdgeBroker.sln")))
            root = Path.GetDirectoryName(root);
        return Path.Combine(root ?? "/", "artifacts", rid, "edgebroker");
    }
}
