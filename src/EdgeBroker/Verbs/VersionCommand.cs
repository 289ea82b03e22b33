using System.Reflection;
using System.Runtime.InteropServices;
using EdgeBroker.Cli.Options;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Verbs;

/// <summary><c>edgebroker version</c></summary>
internal static class VersionCommand
{
    public static Command Command { get; } = new() { Name = "version", Summary = "print the version", Options = [SharedOptions.Json], Run = Run };

    public static string Version { get; } = typeof(VersionCommand).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    /// <summary>The commit that was built, as its publisher named it; null: it was not named.</summary>
    public static string? Commit { get; } =
        typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+') is [_, var commit]
            ? commit : null;

    private static int Run(Arguments args, CommandContext context)
    {
        string platform = "linux-" + (RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64");
        var answer = new VersionAnswer(Version, Commit, platform, Environment.Version.ToString(), SqliteLibrary.Version);
        if (args.Has(SharedOptions.Json)) context.WriteJson(answer, VerbJson.Default.VersionAnswer);
        else context.Out.WriteLine($"edgebroker {answer.Version} ({answer.Platform}, .NET {answer.Dotnet}, SQLite {answer.Sqlite})");
        return ExitCode.Success;
    }
}

/// <summary>What <c>version --json</c> prints.</summary>
internal sealed record VersionAnswer(string Version, string? Commit, string Platform, string Dotnet, string Sqlite);
