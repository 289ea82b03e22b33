using System.Diagnostics;
using System.Runtime.InteropServices;

namespace EdgeBroker.Testing.Published;

/// <summary>
/// One published executable and how to start it here: natively, or the arm64 one under qemu. scripts/publish.sh makes them; the environment may name others:
/// EDGEBROKER_BINARY, EDGEBROKER_BINARY_ARM64 and EDGEBROKER_QEMU (a command and its options).
/// </summary>
public sealed class PublishedBinary
{
    /// <summary>The runtime identifier of x64 Linux.</summary>
    public const string X64 = "linux-x64";

    /// <summary>The runtime identifier of arm64 Linux.</summary>
    public const string Arm64 = "linux-arm64";

    private readonly string[] _command;

    private PublishedBinary(string rid, string path, string[] emulator)
    {
        Rid = rid;
        Path = path;
        _command = [.. emulator, path];
        if (!File.Exists(path)) throw new FileNotFoundException($"No {path}: run scripts/publish.sh {rid}");
    }

    /// <summary>What this machine runs without an emulator.</summary>
    public static string HostRid => RuntimeInformation.OSArchitecture == Architecture.Arm64 ? Arm64 : X64;

    /// <summary>The targets that can be run here.</summary>
    public static string[] Rids => HostRid == X64 ? [X64, Arm64] : [Arm64];

    /// <summary>The runtime identifier it was published for.</summary>
    public string Rid { get; }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The executable published for a target; fails when there is none.</summary>
    public static PublishedBinary Of(string rid)
    {
        if (rid == HostRid) return new PublishedBinary(rid, Variable("EDGEBROKER_BINARY") ?? Artifact(rid), []);
        string home = Variable("HOME") ?? "/root";
        string cache = Variable("XDG_CACHE_HOME") ?? System.IO.Path.Combine(home, ".cache");
        string root = Variable("EDGEBROKER_ARM64_ROOT") ?? System.IO.Path.Combine(cache, "edgebroker", "arm64-root");
        string[] qemu = Variable("EDGEBROKER_QEMU")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? ["qemu-aarch64-static", "-L", root];
        return new PublishedBinary(rid, Variable("EDGEBROKER_BINARY_ARM64") ?? Artifact(rid), qemu);
    }

    /// <summary>Starts it.</summary>
    public ChildProcess Start(string workingDirectory, params string[] arguments) => Start(workingDirectory, new Dictionary<string, string>(), arguments);

    /// <summary>Starts it, and perhaps leaves its input open for what it will be told.</summary>
    public ChildProcess Start(string workingDirectory, bool keepsInput, params string[] arguments) =>
        Start(workingDirectory, new Dictionary<string, string>(), keepsInput, [.. _command, .. arguments]);

    /// <summary>Starts it with variables added to its environment.</summary>
    public ChildProcess Start(string workingDirectory, IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
        Start(workingDirectory, environment, keepsInput: false, [.. _command, .. arguments]);

    /// <summary>Starts it by another program, which takes what to run as its last arguments.</summary>
    public ChildProcess StartBy(string[] command, string workingDirectory, IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
        Start(workingDirectory, environment, keepsInput: false, [.. command, .. _command, .. arguments]);

    /// <summary>
    /// Starts it so that it hears SIGHUP: a test run that is to outlive its terminal (nohup) hands down that it is ignored, and the runtime stays with that.
    /// </summary>
    public ChildProcess StartHearingHangUps(string workingDirectory, params string[] arguments) =>
        Start(workingDirectory, new Dictionary<string, string>(), keepsInput: false, ["env", "--default-signal=HUP", .. _command, .. arguments]);

    private static ChildProcess Start(string workingDirectory, IReadOnlyDictionary<string, string> environment, bool keepsInput, string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = workingDirectory };
        // The test run may itself be a service; its children's log is ours to read as text.
        start.Environment.Remove("JOURNAL_STREAM");
        start.Environment.Remove("STATE_DIRECTORY");
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        return new ChildProcess(start, keepsInput);
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static string Artifact(string rid) => System.IO.Path.Combine(RepositoryRoot.Find(), "artifacts", rid, "edgebroker");
}
