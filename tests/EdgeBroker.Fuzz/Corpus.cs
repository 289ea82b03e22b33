namespace EdgeBroker.Fuzz;

/// <summary>Inputs on disk: a folder for each target, a file for each input.</summary>
public sealed class Corpus
{
    private readonly List<(FuzzTarget Target, string File, byte[] Input)> _inputs = [];

    /// <summary>The corpus that lies beside the program.</summary>
    public static string DefaultFolder => Path.Combine(AppContext.BaseDirectory, "corpus");

    public IReadOnlyList<(FuzzTarget Target, string File, byte[] Input)> Inputs => _inputs;

    /// <summary>Loads the folders named after targets under <paramref name="folder"/>, or the files of one such folder.</summary>
    public static Corpus Load(string folder)
    {
        var corpus = new Corpus();
        foreach (FuzzTarget target in FuzzTarget.All)
        {
            string own = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)) == target.Name ? folder : Path.Combine(folder, target.Name);
            if (!Directory.Exists(own)) continue;
            foreach (string file in Directory.EnumerateFiles(own, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                corpus._inputs.Add((target, file, File.ReadAllBytes(file)));
            }
        }

        return corpus;
    }

    /// <summary>Runs every input through its target.</summary>
    /// <returns>The inputs run.</returns>
    public int Replay()
    {
        foreach ((FuzzTarget target, _, byte[] input) in _inputs) target.Run(input);
        return _inputs.Count;
    }
}
