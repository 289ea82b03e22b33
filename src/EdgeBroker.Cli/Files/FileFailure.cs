namespace EdgeBroker.Cli.Files;

/// <summary>What the file system refuses, as a phrase for a technician: one place for the files of all verbs.</summary>
public static class FileFailure
{
    private const int ReadOnlyFileSystem = 30;
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;
    private const int NotADirectory = 20;
    private const int IsADirectory = 21;

    /// <summary>Why a file could not be read or written, and what to do.</summary>
    /// <param name="failure">What was thrown.</param>
    /// <param name="path">The file.</param>
    public static string Explain(Exception failure, string path)
    {
        if (Directory.Exists(path)) return "it is a folder; name a file";
        string folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
        return failure switch
        {
            DirectoryNotFoundException => $"there is no folder {folder}",
            FileNotFoundException => "there is no such file",
            UnauthorizedAccessException => $"user {Environment.UserName} may not; run it as root (sudo) or as the file's owner",
            PathTooLongException => "its name is too long",
            { HResult: NotADirectory } => $"{folder} is no folder",
            { HResult: IsADirectory } => "it is a folder; name a file",
            { HResult: NoSpace or QuotaExceeded } => "its disk is full",
            { HResult: ReadOnlyFileSystem } => "its disk is mounted read-only",
            _ => failure.Message,
        };
    }
}
