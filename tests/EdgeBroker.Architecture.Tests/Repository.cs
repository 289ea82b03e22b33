using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]

namespace EdgeBroker.Architecture.Tests;

/// <summary>The files of the repository this test was built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    /// <summary>The projects under src/, by name.</summary>
    public static IReadOnlyList<Project> Products { get; } = Load("src");

    /// <summary>Every project there is.</summary>
    public static IReadOnlyList<Project> Projects { get; } = [.. Products, .. Load("tests")];

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>The files under a folder that people wrote: without what builds leave there.</summary>
    public static IEnumerable<string> FilesIn(string folder, string pattern)
    {
        foreach (string file in Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories))
        {
            string relative = Path.GetRelativePath(folder, file);
            if (!relative.Split('/').Any(part => part is "bin" or "obj" or "node_modules")) yield return file;
        }
    }

    /// <summary>A file as failures name it.</summary>
    public static string Relative(string file) => Path.GetRelativePath(Root, file);

    private static Project[] Load(string folder) =>
        [.. FilesIn(PathOf(folder), "*.csproj").Order(StringComparer.Ordinal).Select(file => new Project(file))];

    private static string Find(string directory)
    {
        string? candidate = directory;
        while (candidate is not null && !File.Exists(Path.Combine(candidate, "EdgeBroker.sln"))) candidate = Path.GetDirectoryName(candidate);
        return candidate ?? throw new InvalidOperationException($"No EdgeBroker.sln above {directory}");
    }
}
