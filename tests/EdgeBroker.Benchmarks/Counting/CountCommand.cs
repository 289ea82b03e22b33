using System.Globalization;

namespace EdgeBroker.Benchmarks.Counting;

/// <summary>Counts what there is to read: the way of a QoS 0 PUBLISH, the largest classes, constants that steer, lines of each project.</summary>
internal static class CountCommand
{
    /// <summary>Prints the counts of a repository, by default the one it is called in.</summary>
    /// <param name="args">Its directory, and the file whose tour of a PUBLISH counts, by default its README.md.</param>
    public static int Run(string[] args)
    {
        string root = Path.GetFullPath(args.Length > 0 ? args[0] : ".");
        var source = new ProductSource(root);
        var tour = PublishTour.Read(source, File.ReadAllText(args.Length > 1 ? args[1] : Path.Combine(root, "README.md")));
        Print("Files that the tour of a QoS 0 PUBLISH names", $"{tour.Files.Count}, {tour.Lines} lines");
        Print("Types that its methods use", $"{tour.Types.Count}, in {tour.LinesOfTypes} lines of files: {string.Join(", ", tour.Types)}");
        foreach (ClassCount one in source.Classes().OrderByDescending(c => c.Fields).Take(3)) Print("Most fields", Show(one));
        foreach (ClassCount one in source.Classes().OrderByDescending(c => c.Lines).Take(3)) Print("Most lines", Show(one));
        int steering = 0;
        foreach ((string file, int constants) in source.SteeringConstants())
        {
            Print("Constants that steer", $"{constants} in {file}");
            steering += constants;
        }

        Print("Constants that steer", $"{steering} together, of {source.Constants()} constants and time spans");
        foreach (ProjectLines project in ProjectLines.Of(root))
        {
            Print("Lines", $"{project.Lines,6} in {project.Files,4} files, {project.CodeLines,6} of code: {project.Name}");
        }

        return 0;
    }

    private static string Show(ClassCount one) =>
        string.Create(CultureInfo.InvariantCulture, $"{one.Name}: {one.Fields} fields, {one.Lines} lines in {one.Files} files");

    private static void Print(string what, string found) => Console.WriteLine($"{what}: {found}");
}
