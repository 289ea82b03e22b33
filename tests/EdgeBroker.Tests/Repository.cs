namespace EdgeBroker.Tests;

/// <summary>The repository this test was built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    private static string Find(string directory)
    {
        string? candidate = directory;
        while (candidate is not null && !File.Exists(Path.Combine(candidate, "EdgeBroker.sln"))) candidate = Path.GetDirectoryName(candidate);
        return candidate ?? throw new InvalidOperationException($"No EdgeBroker.sln above {directory}");
    }
}
