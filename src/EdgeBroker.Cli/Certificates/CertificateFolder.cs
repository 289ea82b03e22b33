using System.Text;
using EdgeBroker.Cli.Options;

namespace EdgeBroker.Cli.Certificates;

/// <summary>The folder certificates are written to: keys for their owner alone, and nothing replaced unless asked.</summary>
internal sealed class CertificateFolder(string path, bool replaces)
{
    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Public = Secret | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>The path of a file in it.</summary>
    public string PathOf(string file) => Path.Combine(path, file);

    /// <summary>Fails before anything is written when one of the files is there already.</summary>
    public void Claim(params string[] files)
    {
        foreach (string file in files)
        {
            if (!replaces && File.Exists(PathOf(file))) throw new CommandException($"{PathOf(file)} exists already; --force replaces it");
        }

        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{path} cannot be made: {e.Message}");
        }
    }

    /// <summary>Writes what anybody may read.</summary>
    public void WritePublic(string file, string text) => Write(file, Encoding.ASCII.GetBytes(text), Public);

    /// <summary>Writes what nobody but the owner may read.</summary>
    public void WriteSecret(string file, byte[] bytes) => Write(file, bytes, Secret);

    // Written beside and renamed: a broker that watches the file never sees half of it, and the mode is right from the first byte on.
    private void Write(string file, byte[] bytes, UnixFileMode mode)
    {
        string temporary = PathOf($".{file}.{Guid.NewGuid():N}");
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = mode;
            using (var stream = new FileStream(temporary, options))
            {
                stream.Write(bytes);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, PathOf(file), overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
            throw new CommandException($"{PathOf(file)} cannot be written: {e.Message}");
        }
    }
}
