using System.Security.Cryptography;

namespace EdgeBroker.Hosting;

/// <summary>
/// The key by which names that nobody has are answered as if somebody had them. It is kept in the data directory: were it another one after each start, such
/// names would be told apart by asking before and after.
/// </summary>
internal static class NameKey
{
    /// <summary>The file.</summary>
    public const string FileName = "edgebroker.names";

    private const int KeyBytes = 32;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Reads the key, or makes it. Where it cannot be kept it lasts as long as the process.</summary>
    public static byte[] Load(string dataDirectory)
    {
        byte[] key = RandomNumberGenerator.GetBytes(KeyBytes);
        try
        {
            string path = Path.Combine(dataDirectory, FileName);
            if (new FileInfo(path) is { Exists: true, LinkTarget: null, Length: KeyBytes }) return File.ReadAllBytes(path);
            if (OperatingSystem.IsWindows()) return key;
            Directory.CreateDirectory(dataDirectory, OwnerOnly | UnixFileMode.UserExecute);
            // Whole or not at all.
            string unfinished = $"{path}.{Environment.ProcessId}";
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };
            using (var file = new FileStream(unfinished, options))
            {
                file.Write(key);
            }

            File.Move(unfinished, path, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A start must not fail for this; whoever tells names apart by it has to wait for the next one.
        }

        return key;
    }
}
