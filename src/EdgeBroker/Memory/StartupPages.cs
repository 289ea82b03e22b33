using System.Globalization;
using System.Runtime.InteropServices;

namespace EdgeBroker.Memory;

/// <summary>
/// Gives back the pages of the executable and its libraries that only starting touched. Around each page that is needed the kernel maps its neighbours, so that
/// of an executable with everything in it much becomes resident that a gateway never uses. They are the files', unchanged: what is needed comes back from the
/// page cache by itself.
/// </summary>
internal static unsafe partial class StartupPages
{
    private const int DontNeed = 4;
    private const int BufferBytes = 8 * 1024;

    /// <summary>
    /// When the start is over, and when much has been collected: not while there is traffic, since what is needed has to be fetched again. Allocates next to
    /// nothing: the heap would take more pages than are given back.
    /// </summary>
    public static void Release()
    {
        try
        {
            using var smaps = new FileStream("/proc/self/smaps", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            foreach ((nuint start, nuint length) in CleanMappings(smaps)) _ = Advise((void*)start, length, DontNeed);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // No /proc: the pages stay, which costs a few megabytes and nothing else.
        }
    }

    /// <summary>The files' mappings that nobody can write and nobody has: a page that was relocated is not the file's any more, and would be lost.</summary>
    /// <param name="smaps">What the kernel says of the mappings.</param>
    internal static List<(nuint Start, nuint Length)> CleanMappings(Stream smaps)
    {
        var clean = new List<(nuint Start, nuint Length)>();
        (nuint Start, nuint Length)? current = null;
        bool isTouched = true;
        Span<byte> buffer = stackalloc byte[BufferBytes];
        int held = 0;
        while (smaps.Read(buffer[held..]) is > 0 and int count)
        {
            ReadOnlySpan<byte> text = buffer[..(held + count)];
            for (int end; (end = text.IndexOf((byte)'\n')) >= 0; text = text[(end + 1)..])
            {
                ReadOnlySpan<byte> line = text[..end];
                if (TryReadHead(line, out (nuint Start, nuint Length)? mapping))
                {
                    if (current is { } last && !isTouched) clean.Add(last);
                    current = mapping;
                    isTouched = false;
                }
                else if (IsOwn(line) && !line.EndsWith(" 0 kB"u8))
                {
                    isTouched = true;
                }
            }

            // Lines are as short as paths; one that is not belongs to no mapping of ours.
            held = text.Length < BufferBytes ? text.Length : 0;
            text[..held].CopyTo(buffer);
        }

        if (current is { } final && !isTouched) clean.Add(final);
        return clean;
    }

    // Not Private_Dirty: the pages of a file just installed are dirty, too, until they are written back, and are the file's all the same.
    private static bool IsOwn(ReadOnlySpan<byte> line) => line.StartsWith("Swap:"u8) || line.StartsWith("Anonymous:"u8);

    // 55fd274b5000-55fd27b3f000 r-xp 00000000 08:01 1234   /usr/bin/edgebroker
    private static bool TryReadHead(ReadOnlySpan<byte> line, out (nuint Start, nuint Length)? mapping)
    {
        mapping = null;
        int dash = line.IndexOf((byte)'-');
        int space = line.IndexOf((byte)' ');
        if (dash <= 0 || space <= dash || !TryReadHex(line[..dash], out nuint start) || !TryReadHex(line[(dash + 1)..space], out nuint end)) return false;
        ReadOnlySpan<byte> rights = line.Slice(space + 1, Math.Min(4, line.Length - space - 1));
        if ((rights.SequenceEqual("r-xp"u8) || rights.SequenceEqual("r--p"u8)) && line.IndexOf(" /"u8) >= 0) mapping = (start, end - start);
        return true;
    }

    private static bool TryReadHex(ReadOnlySpan<byte> text, out nuint value) =>
        nuint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
