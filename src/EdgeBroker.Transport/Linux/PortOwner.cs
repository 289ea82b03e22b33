using System.Globalization;
using EdgeBroker.Transport.UnixSockets;

namespace EdgeBroker.Transport.Linux;

/// <summary>Who listens at a port or a socket's path, as far as <c>/proc</c> tells the broker's user.</summary>
internal static class PortOwner
{
    private const string Listening = "0A";
    private const string Accepting = "00010000";
    private const string Unknown = "another program (\"ss -ltnp\" as root names it)";

    /// <summary>Who listens at a TCP port, in words.</summary>
    public static string OfPort(int port)
    {
        string wanted = port.ToString("X4", CultureInfo.InvariantCulture);
        foreach (string table in (string[])["/proc/net/tcp", "/proc/net/tcp6"])
        {
            foreach (string[] fields in Rows(table))
            {
                // sl, local address, remote address, state, queues, timer, retransmits, user, timeout, inode
                if (fields.Length < 10 || fields[3] != Listening || !fields[1].EndsWith(":" + wanted, StringComparison.Ordinal)) continue;
                if (ProcessOf(fields[9]) is { } process) return process;
                return uint.TryParse(fields[7], NumberStyles.None, CultureInfo.InvariantCulture, out uint user)
                    ? $"a program of user \"{LocalAccounts.UserName(user) ?? fields[7]}\" (\"ss -ltnp\" as root names it)"
                    : Unknown;
            }
        }

        return Unknown;
    }

    /// <summary>Who listens at a path, in words; null: nobody.</summary>
    public static string? OfPath(string path)
    {
        // Num, reference count, protocol, flags, type, state, inode, path
        string[]? found = Rows("/proc/net/unix").FirstOrDefault(fields => fields.Length > 7 && fields[3] == Accepting && fields[7] == path);
        return found is null ? null : ProcessOf(found[6]) ?? "another program";
    }

    private static IEnumerable<string[]> Rows(string table)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(table);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }

        return lines.Skip(1).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    // The program whose descriptor it is; those of other users are hidden from all but root.
    private static string? ProcessOf(string inode)
    {
        string wanted = $"socket:[{inode}]";
        foreach (string process in Entries("/proc"))
        {
            if (!char.IsAsciiDigit(Path.GetFileName(process)[0]) || !Entries(process + "/fd").Any(fd => LinkOf(fd) == wanted)) continue;
            return $"{NameOf(process)} (process {Path.GetFileName(process)})";
        }

        return null;
    }

    private static string[] Entries(string folder)
    {
        try
        {
            return Directory.GetFileSystemEntries(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string? LinkOf(string file)
    {
        try
        {
            return new FileInfo(file).LinkTarget;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string NameOf(string process)
    {
        try
        {
            return File.ReadAllText(process + "/comm").Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "a program";
        }
    }
}
