using System.Runtime.InteropServices;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Verbs;

/// <summary><c>edgebroker version</c></summary>
internal static class VersionCommand
{
    public const string Usage = "usage: edgebroker version";

    public static string Version { get; } = typeof(VersionCommand).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    public static int Run(string[] args, Surroundings world)
    {
        if (args.Length > 0) return CommandLine.Misused("version takes no arguments", Usage, world);
        string architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64";
        world.Out.WriteLine($"edgebroker {Version} (linux-{architecture}, .NET {Environment.Version}, SQLite {SqliteLibrary.Version})");
        return ExitCode.Success;
    }
}
