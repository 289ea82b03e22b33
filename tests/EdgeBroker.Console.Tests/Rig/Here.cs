using EdgeBroker.Testing.Published;

namespace EdgeBroker.Console.Tests.Rig;

/// <summary>Where things are in the repository.</summary>
internal static class Here
{
    /// <summary>The repository.</summary>
    public static string Root { get; } = RepositoryRoot.Find();

    /// <summary>The console's sources.</summary>
    public static string Web { get; } = Path.Combine(Root, "src", "EdgeBroker.Http", "Console", "web");

    /// <summary>The checker for accessibility, in the version of the console's lock file.</summary>
    public static string Axe { get; } = File.ReadAllText(Path.Combine(Web, "node_modules", "axe-core", "axe.min.js"));
}
