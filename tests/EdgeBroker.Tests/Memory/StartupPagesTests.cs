using System.Text;
using EdgeBroker.Memory;

namespace EdgeBroker.Tests.Memory;

/// <summary>Which pages may be given back.</summary>
public sealed class StartupPagesTests
{
    [Fact]
    public void Only_the_files_own_unchanged_and_unwritable_mappings()
    {
        string[] smaps =
        [
            "00400000-00500000 r-xp 00000000 08:01 12 /usr/bin/edgebroker", "Rss: 4 kB", "Private_Dirty:         8 kB", "Anonymous: 0 kB", "Swap: 0 kB",
            "00500000-00600000 r--p 00100000 08:01 12 /usr/bin/edgebroker", "Private_Dirty:         8 kB", "Anonymous: 8 kB", "Swap: 0 kB",
            "00600000-00700000 r--p 00200000 08:01 12 /usr/bin/edgebroker", "Private_Dirty:         0 kB", "Anonymous: 0 kB", "Swap: 4 kB",
            "00700000-00800000 rw-p 00300000 08:01 12 /usr/bin/edgebroker", "Private_Dirty:         0 kB", "Anonymous: 0 kB", "Swap: 0 kB",
            "00800000-00900000 r-xp 00000000 08:01 13 /usr/lib/libc.so.6", "Private_Dirty:         0 kB", "Anonymous: 0 kB", "Swap: 0 kB",
            "7ffe00000000-7ffe00002000 r-xp 00000000 00:00 0 [vdso]", "Private_Dirty:         0 kB", "Anonymous: 0 kB", "Swap: 0 kB",
            "7ffd00000000-7ffd00002000 r--p 00000000 00:00 0", "Private_Dirty:         0 kB", "Anonymous: 0 kB", "Swap: 0 kB",
            "7ffc00000000-7ffc00002000 r--s 00000000 08:01 14 /var/lib/edgebroker/shared", "Private_Dirty:         0 kB", "Anonymous: 0 kB", "Swap: 0 kB",
            "00900000-00a00000 r--p 00400000 08:01 12 /usr/bin/edgebroker", "Private_Dirty:         0 kB", "Anonymous: 0 kB", "Swap: 0 kB",
        ];
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', smaps) + "\n"));
        Assert.Equal([(0x400000, 0x100000), (0x800000, 0x100000), (0x900000, 0x100000)], StartupPages.CleanMappings(stream));
    }

    [Fact]
    public void Mappings_are_found_however_many_there_are()
    {
        string[] smaps =
        [
            .. Enumerable.Range(1, 1000).Select(
                i => $"{i * 0x10000:x8}-{(i * 0x10000) + 0x1000:x8} r-xp 00000000 08:01 12 /usr/lib/lib{i}.so\nSwap: 0 kB"),
        ];
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', smaps) + "\n"));
        Assert.Equal(Enumerable.Range(1, 1000).Select(i => ((nuint)(i * 0x10000), (nuint)0x1000)), StartupPages.CleanMappings(stream));
    }

    [Fact]
    public void The_process_goes_on_as_before()
    {
        StartupPages.Release();
        Assert.NotEmpty(File.ReadAllText("/proc/self/smaps"));
    }
}
