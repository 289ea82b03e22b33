using System.Xml.Linq;

namespace EdgeBroker.Architecture.Tests;

/// <summary>One .csproj: what it imports.</summary>
internal sealed class Project
{
    public Project(string file)
    {
        File = file;
        Name = Path.GetFileNameWithoutExtension(file);
        XDocument document = XDocument.Load(file);
        References = [.. Includes(document, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/')))];
        Packages = [.. Includes(document, "PackageReference")];
        Frameworks = [.. Includes(document, "FrameworkReference")];
    }

    public string Name { get; }

    public string File { get; }

    public string Folder => Path.GetDirectoryName(File)!;

    /// <summary>Names of the projects it imports.</summary>
    public IReadOnlyList<string> References { get; }

    public IReadOnlyList<string> Packages { get; }

    public IReadOnlyList<string> Frameworks { get; }

    public override string ToString() => Name;

    private static IEnumerable<string> Includes(XDocument document, string element) =>
        document.Descendants(element).Select(e => e.Attribute("Include")?.Value).OfType<string>();
}
