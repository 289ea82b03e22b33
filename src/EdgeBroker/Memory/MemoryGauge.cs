using System.Globalization;
using System.Text;
using EdgeBroker.Core.Limits;
using Microsoft.Win32.SafeHandles;

namespace EdgeBroker.Memory;

/// <summary>
/// Reads what memory the process uses, and what the system leaves it: the smallest limit of its control groups (v2 or v1), else what is still available to everyone. One thread.
/// </summary>
/// <param name="root">Where the system's files are: "/", but for tests.</param>
internal sealed class MemoryGauge(string root) : IDisposable
{
    // v1 writes "no limit" as the largest number of whole pages.
    private const long NoLimitFrom = 1L << 60;

    private readonly byte[] _buffer = new byte[4096];
    private readonly List<string> _limitFiles = FindLimitFiles(root);
    private SafeFileHandle? _statm;

    /// <summary>The process by its resident pages, against what it may have.</summary>
    public MemoryReading Read(MemoryLimit limit)
    {
        long residentBytes = ReadResidentBytes();
        if (!limit.IsAutomatic) return new MemoryReading(residentBytes, limit.Bytes);
        long groupBytes = ReadGroupLimit();
        MemoryReading group = new(residentBytes, groupBytes);
        // Whatever others leave of the machine: it can grow by that much.
        long? availableBytes = ReadAvailableBytes();
        return availableBytes is { } available ? MemoryReading.Tighter(group, new MemoryReading(residentBytes, residentBytes + available)) : group;
    }

    /// <summary>The smallest limit of the process's control groups; 0: none.</summary>
    public long ReadGroupLimit()
    {
        long smallest = long.MaxValue;
        foreach (string file in _limitFiles)
        {
            // It may be raised or lowered at any time; "max" is no number.
            if (TryReadNumber(file) is { } bytes and > 0 and < NoLimitFrom) smallest = Math.Min(smallest, bytes);
        }

        return smallest == long.MaxValue ? 0 : smallest;
    }

    /// <inheritdoc/>
    public void Dispose() => _statm?.Dispose();

    // Kept open, and read without allocating: this happens several times a second.
    private long ReadResidentBytes()
    {
        try
        {
            _statm ??= File.OpenHandle(Path.Combine(root, "proc/self/statm"));
            ReadOnlySpan<byte> line = _buffer.AsSpan(0, RandomAccess.Read(_statm, _buffer, 0));
            line = line[(line.IndexOf((byte)' ') + 1)..];
            int end = line.IndexOf((byte)' ');
            return end > 0 && long.TryParse(line[..end], NumberStyles.None, CultureInfo.InvariantCulture, out long pages) ? pages * Environment.SystemPageSize : 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A system without /proc: nothing is known, and nothing is limited.
            return 0;
        }
    }

    private long? ReadAvailableBytes()
    {
        try
        {
            using SafeFileHandle file = File.OpenHandle(Path.Combine(root, "proc/meminfo"));
            ReadOnlySpan<byte> text = _buffer.AsSpan(0, RandomAccess.Read(file, _buffer, 0));
            int at = text.IndexOf("MemAvailable:"u8);
            if (at < 0) return null;
            ReadOnlySpan<byte> number = text[(at + "MemAvailable:".Length)..].TrimStart((byte)' ');
            int end = number.IndexOf((byte)' ');
            return end > 0 && long.TryParse(number[..end], NumberStyles.None, CultureInfo.InvariantCulture, out long kilobytes) ? kilobytes * 1024 : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static long? TryReadNumber(string file)
    {
        try
        {
            return long.TryParse(File.ReadAllText(file, Encoding.ASCII).AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The files of the process's own group and of all above it. In a container's view of the tree the group may not be there: then the top is the container's.</summary>
    private static List<string> FindLimitFiles(string root)
    {
        List<string> files = [];
        string[] lines = [];
        try
        {
            lines = File.ReadAllLines(Path.Combine(root, "proc/self/cgroup"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A system without control groups.
        }

        foreach (string line in lines)
        {
            string[] parts = line.Split(':', 3);
            if (parts.Length < 3) continue;
            if (parts[0] == "0" && parts[1].Length == 0) AddUpward(files, Path.Combine(root, "sys/fs/cgroup"), parts[2], "memory.max", "memory.high");
            else if (parts[1].Split(',').Contains("memory")) AddUpward(files, Path.Combine(root, "sys/fs/cgroup/memory"), parts[2], "memory.limit_in_bytes");
        }

        return files;
    }

    private static void AddUpward(List<string> files, string top, string group, params string[] names)
    {
        // "/../x" is how a group outside the container's own tree looks.
        for (string path = group.Trim('/').Replace("../", "", StringComparison.Ordinal); ; path = Path.GetDirectoryName(path) ?? "")
        {
            foreach (string name in names)
            {
                string file = Path.Combine(top, path, name);
                if (File.Exists(file)) files.Add(file);
            }

            if (path.Length == 0) return;
        }
    }
}
