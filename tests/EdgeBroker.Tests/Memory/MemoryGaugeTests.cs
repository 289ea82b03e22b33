using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;
using EdgeBroker.Memory;
using EdgeBroker.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Tests.Memory;

/// <summary>What the system says about memory, in files like the kernel's.</summary>
public sealed class MemoryGaugeTests : IDisposable
{
    private const long MB = 1024 * 1024;

    private readonly TemporaryDirectory _root = new();

    public MemoryGaugeTests()
    {
        // 5,000 pages resident.
        _root.Write("proc/self/statm", "20000 5000 900 300 0 4000 0\n");
        _root.Write("proc/self/cgroup", "0::/system.slice/edgebroker.service\n");
    }

    private static long ResidentBytes => 5_000L * Environment.SystemPageSize;

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("max", "max", "max", 0)]
    [InlineData("268435456", "max", "max", 256)]
    [InlineData("268435456", "134217728", "max", 128)]
    [InlineData("max", "max", "67108864", 64)]
    [InlineData("nonsense", "134217728", "max", 128)]
    public void The_smallest_limit_of_its_groups_counts(string own, string high, string parent, long expectedMB)
    {
        _root.Write("sys/fs/cgroup/system.slice/edgebroker.service/memory.max", own + "\n");
        _root.Write("sys/fs/cgroup/system.slice/edgebroker.service/memory.high", high + "\n");
        _root.Write("sys/fs/cgroup/system.slice/memory.max", parent + "\n");
        using var gauge = new MemoryGauge(_root.Path);
        Assert.Equal(expectedMB * MB, gauge.ReadGroupLimit());
        MemoryReading reading = gauge.Read(MemoryLimit.Automatic);
        Assert.Equal(new MemoryReading(ResidentBytes, expectedMB * MB), reading);
    }

    [Fact]
    public void A_group_outside_the_container_s_own_tree_is_its_top()
    {
        _root.Write("proc/self/cgroup", "0::/../other\n");
        _root.Write("sys/fs/cgroup/memory.max", "134217728\n");
        using var gauge = new MemoryGauge(_root.Path);
        Assert.Equal(128 * MB, gauge.ReadGroupLimit());
    }

    [Theory]
    [InlineData("134217728", 128)]
    [InlineData("9223372036854771712", 0)]
    public void Version_1_of_control_groups_is_read_too(string limit, long expectedMB)
    {
        _root.Write("proc/self/cgroup", "12:cpu,cpuacct:/a\n4:memory:/docker/abc\n");
        _root.Write("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", limit + "\n");
        using var gauge = new MemoryGauge(_root.Path);
        Assert.Equal(expectedMB * MB, gauge.ReadGroupLimit());
    }

    [Fact]
    public void A_limit_that_is_changed_counts_at_once()
    {
        _root.Write("sys/fs/cgroup/system.slice/edgebroker.service/memory.max", "134217728\n");
        using var gauge = new MemoryGauge(_root.Path);
        Assert.Equal(128 * MB, gauge.ReadGroupLimit());
        _root.Write("sys/fs/cgroup/system.slice/edgebroker.service/memory.max", "268435456\n");
        Assert.Equal(256 * MB, gauge.ReadGroupLimit());
    }

    [Fact]
    public void Without_a_group_s_limit_it_is_what_the_machine_leaves()
    {
        _root.Write("proc/meminfo", "MemTotal:        1000000 kB\nMemFree:          10000 kB\nMemAvailable:       1024 kB\n");
        using var gauge = new MemoryGauge(_root.Path);
        Assert.Equal(new MemoryReading(ResidentBytes, ResidentBytes + MB), gauge.Read(MemoryLimit.Automatic));
        _root.Write(
            "sys/fs/cgroup/system.slice/edgebroker.service/memory.max", (ResidentBytes + (MB / 2)).ToString(System.Globalization.CultureInfo.InvariantCulture));
        using var tighter = new MemoryGauge(_root.Path);
        Assert.Equal(ResidentBytes + (MB / 2), tighter.Read(MemoryLimit.Automatic).LimitBytes);
    }

    [Fact]
    public void A_size_in_the_configuration_counts_alone()
    {
        _root.Write("sys/fs/cgroup/system.slice/edgebroker.service/memory.max", "1048576\n");
        using var gauge = new MemoryGauge(_root.Path);
        Assert.Equal(new MemoryReading(ResidentBytes, 256 * MB), gauge.Read(new MemoryLimit(256 * MB, false)));
    }

    [Fact]
    public void A_system_without_any_of_it_limits_nothing()
    {
        using var gauge = new MemoryGauge(_root.Path + "/nothing");
        Assert.Equal(new MemoryReading(0, 0), gauge.Read(MemoryLimit.Automatic));
    }

    [Fact]
    public void This_machine_tells()
    {
        using var gauge = new MemoryGauge("/");
        MemoryReading reading = gauge.Read(MemoryLimit.Automatic);
        Assert.InRange(reading.UsedBytes, MB, 1L << 40);
        Assert.True(reading.LimitBytes > reading.UsedBytes);
        // Nothing is opened or allocated anew for the process's own pages.
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 100; i++) gauge.Read(MemoryLimit.None);
        }));
    }

    [Fact]
    public void Garbage_is_no_reason_to_go_on_refusing()
    {
        Broker broker = MakeBroker();
        using var gauge = new MemoryGauge(_root.Path);
        var time = new FakeTimeProvider();
        var watch = new MemoryWatch(broker.Limits, gauge, GC.Collect, time);
        void Run(long percent)
        {
            broker.Limits.Replace(new LimitOptions { MaxMemory = new MemoryLimit(ResidentBytes * 100 / percent, false) });
            watch.Run();
        }

        Run(81);
        Assert.Equal(MemoryStage.Refusing, broker.Limits.Memory.Stage);
        WeakReference garbage = MakeOld();
        // Below where it began to refuse, and not yet where it ends.
        time.Advance(TimeSpan.FromSeconds(10));
        Run(77);
        Assert.Equal(MemoryStage.Refusing, broker.Limits.Memory.Stage);
        Assert.False(garbage.IsAlive);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static WeakReference MakeOld()
        {
            object held = new byte[1000];
            var reference = new WeakReference(held);
            // Into the oldest generation, where only a collection of everything finds it.
            GC.Collect();
            GC.Collect();
            GC.KeepAlive(held);
            return reference;
        }
    }

    [Theory]
    [InlineData(10, 1.0)]
    [InlineData(75, 1.5)]
    [InlineData(500, 2.0)]
    public void A_slow_collection_puts_the_next_off_but_not_for_long(int milliseconds, double seconds)
    {
        Broker broker = MakeBroker();
        using var gauge = new MemoryGauge(_root.Path);
        var time = new FakeTimeProvider();
        int collections = 0;
        void Collect()
        {
            collections++;
            time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        }

        var watch = new MemoryWatch(broker.Limits, gauge, Collect, time);
        broker.Limits.Replace(new LimitOptions { MaxMemory = new MemoryLimit(ResidentBytes * 100 / 82, false) });
        watch.Run();
        time.Advance(TimeSpan.FromSeconds(seconds - 0.01));
        watch.Run();
        Assert.Equal(1, collections);
        time.Advance(TimeSpan.FromSeconds(0.02));
        watch.Run();
        Assert.Equal(2, collections);
    }

    [Fact]
    public void The_watch_follows_what_the_process_uses()
    {
        Broker broker = MakeBroker();
        using var gauge = new MemoryGauge(_root.Path);
        var watch = new MemoryWatch(broker.Limits, gauge, GC.Collect, new FakeTimeProvider());
        var readings = new[]
        {
            (50L, MemoryStage.Normal), (81, MemoryStage.Refusing), (90, MemoryStage.Pausing), (96, MemoryStage.Dropping), (40, MemoryStage.Normal),
        };
        foreach ((long percent, MemoryStage stage) in readings)
        {
            broker.Limits.Replace(new LimitOptions { MaxMemory = new MemoryLimit(ResidentBytes * 100 / percent, false) });
            watch.Run();
            Assert.Equal(stage, broker.Limits.Memory.Stage);
        }

        broker.Limits.Replace(new LimitOptions { MaxMemory = new MemoryLimit(1, false) });
        watch.Run();
        Assert.Equal(MemoryStage.Dropping, broker.Limits.Memory.Stage);
        broker.Limits.Replace(new LimitOptions { MaxMemory = MemoryLimit.None });
        watch.Run();
        Assert.Equal(MemoryStage.Normal, broker.Limits.Memory.Stage);
    }

    [Fact]
    public void What_clients_have_made_grow_counts_before_it_is_resident()
    {
        Broker broker = MakeBroker();
        using var gauge = new MemoryGauge(_root.Path);
        var watch = new MemoryWatch(broker.Limits, gauge, GC.Collect, new FakeTimeProvider());
        long limit = ResidentBytes * 2;
        broker.Limits.Replace(new LimitOptions { MaxMemory = new MemoryLimit(limit, false) });
        watch.Run();
        Assert.Equal(MemoryStage.Normal, broker.Limits.Memory.Stage);
        Assert.True(broker.Limits.Ledger.HasRoomFor(limit / 3));
        Assert.False(broker.Limits.Ledger.HasRoomFor(limit / 2));
        foreach ((int percent, MemoryStage stage) in new[] { (82, MemoryStage.Refusing), (95, MemoryStage.Dropping), (70, MemoryStage.Normal) })
        {
            long grown = (limit * percent / 100) - ResidentBytes;
            broker.Limits.Ledger.Account(MemoryKind.Queues, grown);
            watch.Run();
            Assert.Equal(stage, broker.Limits.Memory.Stage);
            broker.Limits.Ledger.Release(MemoryKind.Queues, grown);
        }
    }

    private static Broker MakeBroker() =>
        new(new MqttOptions { SysInterval = TimeSpan.Zero }, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(), "test");
}
