namespace EdgeBroker.Testing.Published;

/// <summary>Where the sources lie that these tests were built from.</summary>
public static class RepositoryRoot
{
    /// <summary>The folder of EdgeBroker.sln above the running test.</summary>
    public static string Find()
    {
        string? root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "EdgeBroker.sln"))) root = Path.GetDirectoryName(root);
        return root ?? throw new DirectoryNotFoundException($"No EdgeBroker.sln above {AppContext.BaseDirectory}");
    }
}
