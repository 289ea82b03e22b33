using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Configuration.Schema;
using EdgeBroker.Configuration.Toml;

namespace EdgeBroker.Configuration.Rules;

/// <summary>
/// Reads what a configuration keeps elsewhere: password files, keys, secrets in the environment. Says what is wrong with them, never what is in them.
/// </summary>
internal sealed class SecretFiles(string baseDirectory, Func<string, string?> environment, ConfigurationErrors errors, List<string> warnings)
{
    private const int LargestFileBytes = 16 * 1024 * 1024;

    /// <summary>A file's full path.</summary>
    public string FullPath(string path) => Path.GetFullPath(path, baseDirectory);

    /// <summary>The bytes of a file; null when it cannot be read, which has then been reported at the place that names it.</summary>
    /// <param name="path">As written in the configuration.</param>
    /// <param name="position">Where that is.</param>
    /// <param name="key">The key it is the value of.</param>
    /// <param name="isSecret">Whether others may not read it.</param>
    public byte[]? Read(string path, SourcePosition position, string key, bool isSecret = true)
    {
        string shown = Printable.Escape(path);
        try
        {
            string full = FullPath(path);
            if (Directory.Exists(full))
            {
                errors.Add(position, $"\"{key}\": {shown} is a directory; expected a file");
                return null;
            }

            using var stream = new FileStream(full, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            if (stream.Length > LargestFileBytes)
            {
                errors.Add(position, $"\"{key}\": {shown} is larger than {SizeKind.ShowBytes(LargestFileBytes)}; is it the right file?");
                return null;
            }

            if (!OperatingSystem.IsWindows()) WarnWhenOpen(File.GetUnixFileMode(stream.SafeFileHandle), position, shown, isSecret);
            byte[] bytes = new byte[stream.Length];
            return bytes[..stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            errors.Add(position, $"\"{key}\": no such file: {shown}" + key switch
            {
                "password_file" => $"; make it with `edgebroker passwd add {shown} NAME`",
                "file" => $"; make it with `edgebroker psk add {shown} NAME`",
                _ => "",
            });
        }
        catch (UnauthorizedAccessException)
        {
            errors.Add(position, $"\"{key}\": {shown} cannot be read: permission denied for user \"{Environment.UserName}\"");
        }
        catch (Exception e) when (e is IOException or ArgumentException or NotSupportedException or CryptographicException)
        {
            errors.Add(position, $"\"{key}\": {shown} cannot be read: {Printable.Escape(e.Message)}");
        }

        return null;
    }

    /// <summary>The bytes of a secret, from where it is kept; null when they cannot be had, which has then been reported.</summary>
    public byte[]? Read(SecretSource source, string key)
    {
        if (source.File is not null) return Read(source.File, source.Position, key);
        if (environment(source.Variable!) is { Length: > 0 } value) return Encoding.UTF8.GetBytes(value);
        errors.Add(source.Position, $"\"{key}\": the environment variable \"{Printable.Escape(source.Variable!)}\" is not set");
        return null;
    }

    private void WarnWhenOpen(UnixFileMode mode, SourcePosition position, string shown, bool isSecret)
    {
        if (isSecret && (mode & UnixFileMode.OtherRead) != 0)
        {
            warnings.Add($"{position}: everyone on this machine can read {shown}; close it with `chmod o-rwx {shown}`");
        }
        else if ((mode & (UnixFileMode.OtherWrite | UnixFileMode.GroupWrite)) != 0)
        {
            warnings.Add($"{position}: others than its owner can change {shown}; close it with `chmod go-w {shown}`");
        }
    }
}
