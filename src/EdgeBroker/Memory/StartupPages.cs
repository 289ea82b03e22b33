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

    /// <summary>When the start is over, and when much has been collected: not while there is traffic, since what is needed has to be fetched again.</summary>
    public static void Release()
    {
        try
        {
            foreach ((nuint start, nuint length) in CleanMappings(File.ReadLines("/proc/self/smaps"))) _ = Advise((void*)start, length, DontNeed);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // No /proc: the pages stay, which costs a few megabytes and nothing else.
        }
    }

    /// <summary>The files' mappings that nobody can write and nobody has: a page that was relocated is not the file's any more, and would be lost.</summary>
    internal static List<(nuint Start, nuint Length)> CleanMappings(IEnumerable<string> smaps)
    {
        var clean = new List<(nuint Start, nuint Length)>();
        (nuint Start, nuint Length)? current = null;
        bool touched = true;
        foreach (string line in smaps)
        {
            if (TryReadHead(line, out var head))
            {
                if (current is { } last && !touched) clean.Add(last);
                current = head;
                touched = false;
            }
            else if (IsOwn(line) && !line.EndsWith(" 0 kB", StringComparison.Ordinal))
            {
                touched = true;
            }
        }

        if (current is { } final && !touched) clean.Add(final);
        return clean;
    }

    // Not Private_Dirty: the pages of a file just installed are dirty, too, until they are written back, and are the file's all the same.
    private static bool IsOwn(string line) => line.StartsWith("Swap:", StringComparison.Ordinal) || line.StartsWith("Anonymous:", StringComparison.Ordinal);

    // 55fd274b5000-55fd27b3f000 r-xp 00000000 08:01 1234   /usr/bin/edgebroker
    private static bool TryReadHead(string line, out (nuint Start, nuint Length)? mapping)
    {
        mapping = null;
        int dash = line.IndexOf('-', StringComparison.Ordinal);
        int space = line.IndexOf(' ', StringComparison.Ordinal);
        if (dash <= 0 || space <= dash || !TryReadHex(line.AsSpan(0, dash), out nuint start)
            || !TryReadHex(line.AsSpan(dash + 1, space - dash - 1), out nuint end))
        {
            return false;
        }

        ReadOnlySpan<char> rights = line.AsSpan(space + 1, Math.Min(4, line.Length - space - 1));
        if (rights is "r-xp" or "r--p" && line.Contains(" /", StringComparison.Ordinal)) mapping = (start, end - start);
        return true;
    }

    private static bool TryReadHex(ReadOnlySpan<char> text, out nuint value) =>
        nuint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
