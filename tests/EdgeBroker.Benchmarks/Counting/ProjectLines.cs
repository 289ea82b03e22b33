namespace EdgeBroker.Benchmarks.Counting;

/// <summary>The C# of one project.</summary>
/// <param name="Name">Its folder.</param>
/// <param name="Files">Its files.</param>
/// <param name="Lines">All their lines.</param>
/// <param name="CodeLines">Those that are neither blank nor a comment alone.</param>
internal sealed record ProjectLines(string Name, int Files, int Lines, int CodeLines)
{
    /// <summary>Of each project of a repository, and of all under src and tests.</summary>
    public static IEnumerable<ProjectLines> Of(string root)
    {
        foreach (string part in new[] { "src", "tests" })
        {
            var projects = Directory.GetDirectories(Path.Combine(root, part)).Order(StringComparer.Ordinal).Select(folder => OfFolder(folder, root)).ToList();
            foreach (ProjectLines project in projects) yield return project;
            yield return new ProjectLines(part, projects.Sum(p => p.Files), projects.Sum(p => p.Lines), projects.Sum(p => p.CodeLines));
        }
    }

    private static ProjectLines OfFolder(string folder, string root)
    {
        string[][] files = [.. ProductSource.FilesIn(folder).Select(File.ReadAllLines)];
        int code = files.Sum(lines => lines.Count(line => line.Trim() is { Length: > 0 } text && !text.StartsWith("//", StringComparison.Ordinal)));
        return new ProjectLines(Path.GetRelativePath(root, folder), files.Length, files.Sum(lines => lines.Length), code);
    }
}
