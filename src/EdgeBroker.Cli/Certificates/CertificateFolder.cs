using System.Globalization;
using System.Text;
using EdgeBroker.Cli.Files;
using EdgeBroker.Cli.Options;

namespace EdgeBroker.Cli.Certificates;

/// <summary>The folder certificates are written to: keys for their owner alone, and nothing replaced unless asked.</summary>
internal sealed class CertificateFolder(string path, bool replaces)
{
    /// <summary>The path of a file in it.</summary>
    public string PathOf(string file) => Path.Combine(path, file);

    /// <summary>Fails before anything is written when one of the files is there already.</summary>
    public void Claim(params string[] files)
    {
        foreach (string file in files)
        {
            if (!replaces && File.Exists(PathOf(file))) throw new CommandException($"{PathOf(file)} exists already; --force replaces it");
        }

        Guarded(path, "made", () => WrittenFile.MakeFolder(path));
    }

    /// <summary>Gives files that are there another name, under which they are kept.</summary>
    /// <returns>The files, as they are called now.</returns>
    public List<string> SetAside(DateTimeOffset now, params string[] files)
    {
        var kept = new List<string>();
        foreach (string file in files.Where(file => File.Exists(PathOf(file))))
        {
            string aside = PathOf(string.Create(CultureInfo.InvariantCulture, $"{file}.{now.UtcDateTime:yyyyMMdd-HHmmss}"));
            Guarded(PathOf(file), "renamed", () => File.Move(PathOf(file), aside));
            kept.Add(aside);
        }

        return kept;
    }

    /// <summary>Writes what anybody may read.</summary>
    public void WritePublic(string file, string text) => Write(file, Encoding.ASCII.GetBytes(text), isSecret: false);

    /// <summary>Writes what nobody but the owner may read.</summary>
    public void WriteSecret(string file, byte[] bytes) => Write(file, bytes, isSecret: true);

    private void Write(string file, byte[] bytes, bool isSecret) =>
        Guarded(PathOf(file), "written", () => WrittenFile.Write(PathOf(file), bytes, isSecret));

    private static void Guarded(string file, string done, Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{file} cannot be {done}: {FileFailure.Explain(e, file)}", e);
        }
    }
}
