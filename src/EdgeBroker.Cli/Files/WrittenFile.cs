using EdgeBroker.Storage.Files;

namespace EdgeBroker.Cli.Files;

/// <summary>
/// Writes the files of all verbs: whoever reads one, and whatever happens meanwhile, there is the old one or the new one. It has the owner and mode of the one
/// it replaces; a new one belongs to the owner of its folder, so that a service can read what root has made for it.
/// </summary>
internal static class WrittenFile
{
    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Public = Secret | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
    private const string LinuxOnly = "files are written on Linux only";
    private const UnixFileMode Permissions = (UnixFileMode)0x1FF;

    /// <summary>Writes a file.</summary>
    /// <param name="path">The file; where it is a link, what it leads to is replaced.</param>
    /// <param name="bytes">What it is to hold.</param>
    /// <param name="isSecret">Whether a new one is for its owner alone, and for the group of a folder that is closed to all others.</param>
    /// <exception cref="IOException">It could not be written; nothing has changed.</exception>
    public static void Write(string path, byte[] bytes, bool isSecret) => Change(path, _ => bytes, isSecret);

    /// <summary>Changes a file.</summary>
    /// <param name="path">The file; where it is a link, what it leads to is replaced.</param>
    /// <param name="change">Gets the bytes of the file, empty when there is none, and returns the new ones; null: all stays.</param>
    /// <param name="isSecret">Whether a new one is for its owner alone, and for the group of a folder that is closed to all others.</param>
    /// <returns>Whether it was replaced.</returns>
    /// <exception cref="IOException">It could not be; nothing has changed.</exception>
    public static bool Change(string path, Func<byte[], byte[]?> change, bool isSecret)
    {
        if (OperatingSystem.IsWindows()) throw new IOException(LinuxOnly);
        var file = new FileInfo(path);
        // A file that is not there yet cannot be asked where it leads.
        string target = file.LinkTarget is null ? path : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
        string next = target + ".new";
        // Its existence also keeps a second one from changing the old file meanwhile, and losing this change.
        using FileStream stream = Begin(next);
        bool isReplaced = false;
        try
        {
            bool exists = File.Exists(target);
            byte[]? bytes = change(exists ? File.ReadAllBytes(target) : []);
            if (bytes is null) return false;
            stream.Write(bytes);
            stream.Flush(flushToDisk: true);
            string folder = Path.GetDirectoryName(Path.GetFullPath(target))!;
            if (exists) FileOwner.Copy(target, next);
            else FileOwner.TakeFrom(folder, next);
            File.SetUnixFileMode(stream.SafeFileHandle, exists ? File.GetUnixFileMode(target) : ModeOfNew(folder, isSecret));
            stream.Dispose();
            File.Move(next, target, overwrite: true);
            isReplaced = true;
            return true;
        }
        finally
        {
            if (!isReplaced) File.Delete(next);
        }
    }

    /// <summary>Makes a folder and what is missing above it, each with the owner and mode of the one it lies in.</summary>
    /// <exception cref="IOException">It could not be made.</exception>
    public static void MakeFolder(string path)
    {
        if (Directory.Exists(path)) return;
        if (OperatingSystem.IsWindows()) throw new IOException(LinuxOnly);
        string above = Path.GetDirectoryName(path) ?? throw new IOException($"{path} cannot be made");
        MakeFolder(above);
        Directory.CreateDirectory(path, File.GetUnixFileMode(above) & Permissions);
        FileOwner.TakeFrom(above, path);
    }

    private static FileStream Begin(string next)
    {
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = Secret;
            return new FileStream(next, options);
        }
        catch (IOException) when (File.Exists(next))
        {
            throw new IOException($"{next} is there: another change is going on, or was cut short; if none is, remove it");
        }
    }

    // Whoever closes a folder to all but its group (0750) shares it with that group: with the service, in the folder of its configuration.
    private static UnixFileMode ModeOfNew(string folder, bool isSecret)
    {
        if (!isSecret || OperatingSystem.IsWindows()) return Public;
        UnixFileMode mode = File.GetUnixFileMode(folder);
        return (mode & Others) == 0 && mode.HasFlag(UnixFileMode.GroupRead) ? Secret | UnixFileMode.GroupRead : Secret;
    }
}
