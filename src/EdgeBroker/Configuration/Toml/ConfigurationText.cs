using System.Text;
using EdgeBroker.Configuration.Schema;

namespace EdgeBroker.Configuration.Toml;

/// <summary>Reads the text of a configuration file, reporting why it cannot be read.</summary>
internal static class ConfigurationText
{
    private const int LargestFileBytes = 1024 * 1024;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The text without a byte order mark; null when it cannot be read, which has then been reported.</summary>
    public static string? Read(string path, SourceFile file, ConfigurationErrors errors)
    {
        byte[] bytes;
        int length;
        try
        {
            if (Directory.Exists(path))
            {
                errors.Add(file.Whole, "is a directory; expected a file");
                return null;
            }

            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            bytes = new byte[LargestFileBytes + 1];
            length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            errors.Add(file.Whole, "no such file");
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            errors.Add(file.Whole, $"cannot be read: permission denied for user \"{Environment.UserName}\"");
            return null;
        }
        catch (Exception e) when (e is IOException or ArgumentException or NotSupportedException)
        {
            errors.Add(file.Whole, $"cannot be read: {Printable.Escape(e.Message)}");
            return null;
        }

        if (length > LargestFileBytes)
        {
            errors.Add(file.Whole, $"is larger than {SizeKind.ShowBytes(LargestFileBytes)}; is it the right file?");
            return null;
        }

        return Decode(bytes.AsSpan(0, length), file, errors);
    }

    private static string? Decode(ReadOnlySpan<byte> bytes, SourceFile file, ConfigurationErrors errors)
    {
        if (bytes.StartsWith(Encoding.UTF8.Preamble)) bytes = bytes[Encoding.UTF8.Preamble.Length..];
        if (bytes.IndexOf((byte)0) is >= 0 and int zero)
        {
            int line = bytes[..zero].Count((byte)'\n') + 1;
            errors.Add(
                new SourcePosition(file, line, zero - (bytes[..zero].LastIndexOf((byte)'\n') + 1) + 1),
                "holds a zero byte: the file is damaged, or saved in another form than UTF-8; save it as UTF-8, or restore it");
            return null;
        }

        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            errors.Add(FirstInvalid(bytes, file), "is not UTF-8 text; save the file as UTF-8");
            return null;
        }
    }

    private static SourcePosition FirstInvalid(ReadOnlySpan<byte> bytes, SourceFile file)
    {
        int line = 1;
        int column = 1;
        while (Rune.DecodeFromUtf8(bytes, out Rune rune, out int consumed) == System.Buffers.OperationStatus.Done)
        {
            column++;
            if (rune.Value == '\n')
            {
                line++;
                column = 1;
            }

            bytes = bytes[consumed..];
        }

        return new SourcePosition(file, line, column);
    }
}
