using System.Net;
using System.Net.Sockets;
using System.Text;
using EdgeBroker.Cli.Options;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using Microsoft.Extensions.Time.Testing;
using SocketAddress = EdgeBroker.Transport.Linux.SocketAddress;

namespace EdgeBroker.Bench.Tests;

/// <summary>The arithmetic of results: percentiles, rates, who was the limit, whom a topic reaches.</summary>
public sealed class MeasuringTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Percentiles_are_those_of_a_sorted_list_but_for_one_percent(int seed)
    {
        var random = new Random(seed);
        var histogram = new LatencyHistogram();
        long[] values = [.. Enumerable.Range(0, 20_000).Select(_ => (long)Math.Exp(random.NextDouble() * 25))];
        foreach (long value in values) histogram.Add(value);
        Array.Sort(values);
        foreach (double part in new[] { 0.0001, 0.5, 0.9, 0.99, 0.999 })
        {
            long exact = values[(int)Math.Ceiling(part * values.Length) - 1];
            Assert.InRange(histogram.PercentileNs(part), exact, exact + (exact / 100) + 1);
        }

        Assert.Equal((values.Length, values[^1], values[^1]), (histogram.Count, histogram.MaxNs, histogram.PercentileNs(1)));
        histogram.Clear();
        Assert.Equal((0, 0, 0), (histogram.Count, histogram.MaxNs, histogram.PercentileNs(0.5)));
    }

    [Fact]
    public void The_clock_runs_on_for_hours()
    {
        var time = new FakeTimeProvider();
        using var loop = new LoadLoop(SocketAddress.Parse("127.0.0.1:1"), time);
        time.Advance(TimeSpan.FromHours(3));
        Assert.Equal(3 * 3600 * 1_000_000_000L, loop.NowNs);
    }

    [Fact]
    public void Times_beyond_the_histogram_keep_their_maximum()
    {
        var histogram = new LatencyHistogram();
        histogram.Add(-5);
        histogram.Add(long.MaxValue);
        Assert.Equal((2, long.MaxValue, 0), (histogram.Count, histogram.MaxNs, histogram.PercentileNs(0.5)));
    }

    [Fact]
    public void CPU_time_and_memory_are_read_from_the_kernels_files()
    {
        const string Stat = "4711 (a) strange (name) S 1 4711 4711 0 -1 4194560 1063 0 1 0 1234 66 0 0 20 0 5 0 1137 2711552 512";
        Assert.Equal(13.0, ProcessUsage.CpuSecondsIn(Stat), 6);
        Assert.Throws<FormatException>(() => ProcessUsage.CpuSecondsIn("4711 (x) S 1"));
        Assert.Equal(9_500 * 1024, ProcessUsage.ResidentBytesIn("Name:\tx\nVmPeak:\t  20000 kB\nVmRSS:\t    9500 kB\nThreads:\t1\n"));
        Assert.Equal(0, ProcessUsage.ResidentBytesIn("Name:\tx\n"));
        Assert.True(ProcessUsage.OfProcess(Environment.ProcessId).ResidentBytes > 0);
        Assert.Throws<BenchException>(() => ProcessUsage.OfProcess(int.MaxValue));
    }

    [Fact]
    public void A_message_has_arrived_when_the_kernel_has_it_however_late_it_is_read()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var receiver = new TcpClient();
        receiver.Connect((IPEndPoint)listener.LocalEndpoint);
        using TcpClient sender = listener.AcceptTcpClient();
        int fd = (int)receiver.Client.Handle;
        LoadSockets.AskForTimestamps(fd);
        using var loop = new LoadLoop(SocketAddress.Parse("127.0.0.1:1"), TimeProvider.System);
        Span<byte> read = stackalloc byte[16];
        // The kernel begins to stamp a while after it was asked to, on a thread of its own; what comes sooner has no stamp.
        long before, after, arrived, giveUp = loop.UnixNs + (long)Deadline.Timeout.TotalNanoseconds;
        do
        {
            before = loop.UnixNs;
            sender.Client.Send([1, 2, 3]);
            Assert.True(receiver.Client.Poll(Deadline.Timeout, SelectMode.SelectRead));
            after = loop.UnixNs;
            while (loop.UnixNs < after + 20_000_000) Thread.Yield();
            Assert.Equal(3, LoadSockets.ReceiveWithTimestamp(fd, read, out arrived));
        }
        while (arrived == 0 && loop.UnixNs < giveUp);

        // The clock here counts in steps of 100 ns.
        Assert.InRange(arrived, before - 100, after + 100);
    }

    [Theory]
    [InlineData(1.0, 0.0, 0.5, 0.0, 0, "broker")]
    [InlineData(0.5, 0.45, 0.5, 0.0, 0, "broker")]
    [InlineData(0.5, 0.45, 1.0, 0.0, 0, "both")]
    [InlineData(0.6, 0.0, 0.99, 0.0, 0, "generator")]
    [InlineData(0.6, 0.0, 0.5, 0.45, 0, "generator")]
    [InlineData(0.6, 0.0, 0.6, 0.0, 0, "neither")]
    [InlineData(0.6, 0.0, 0.99, 0.0, 100, "rate")]
    public void Who_was_the_limit_is_who_was_always_busy(double broker, double brokerWaited, double generator, double generatorWaited, int rate, string limit)
    {
        var generatorUsage = new ProcessUsage(2 * generator, 2 * generatorWaited, 0);
        var brokerUsage = new ProcessUsage(2 * broker, 2 * brokerWaited, 0);
        BenchResult result = Result(rate) with { Generator = generatorUsage, Broker = brokerUsage };
        Assert.Equal(limit, result.Limit);
        Assert.Equal(500, result.DonePerSecond);
        Assert.Equal(1000 / (2 * broker), result.DonePerBrokerCpuSecond);
    }

    [Fact]
    public void A_generator_that_was_the_limit_says_so()
    {
        BenchResult result = Result(0) with { Generator = new ProcessUsage(1.99, 0, 0), Broker = new ProcessUsage(0.8, 0, 0) };
        Assert.Contains("The generator was the limit: the broker had time left.", BenchReport.Text(result), StringComparison.Ordinal);
        Assert.Contains("--window", BenchReport.Text(result), StringComparison.Ordinal);
        Assert.Contains("\"limit\":\"generator\"", BenchReport.Json(result), StringComparison.Ordinal);
        Assert.Contains("The generator was the limit: the broker may be faster.", BenchReport.Text(result with { Broker = null }), StringComparison.Ordinal);
        Assert.Equal("unknown", (Result(0) with { Generator = default, Broker = null }).Limit);
    }

    [Fact]
    public void A_topic_reaches_as_many_clients_as_filters_match_it()
    {
        var tree = new TopicTree("t", 1000);
        string[][] filters = [.. Enumerable.Range(0, 60).Select(client => tree.ChooseFilters(client, 15))];
        Assert.Equal(1000, tree.Count);
        Assert.Contains(filters.SelectMany(f => f), filter => filter.EndsWith("/#", StringComparison.Ordinal) && filter.Split('/').Length == 4);
        Assert.Contains(filters.SelectMany(f => f), filter => filter.EndsWith("/#", StringComparison.Ordinal) && filter.Split('/').Length == 3);
        Assert.Contains(filters.SelectMany(f => f), filter => filter.Contains("/+/", StringComparison.Ordinal));
        for (int i = 0; i < tree.Count; i++)
        {
            string topic = Encoding.UTF8.GetString(tree.Topic(i));
            int[] copies = [.. filters.Select(own => own.Count(filter => Matches(filter, topic)))];
            Assert.True(copies.Max() <= 1, $"{topic}: filters of one client overlap");
            Assert.Equal(copies.Sum(), tree.SubscribersOf(i));
        }
    }

    [Fact]
    public void More_filters_than_fit_beside_each_other_are_refused() => Assert.Throws<UsageException>(() => new TopicTree("t", 8).ChooseFilters(0, 9));

    [Theory]
    [InlineData(QoS.AtMostOnce, ProtocolVersion.V311)]
    [InlineData(QoS.AtLeastOnce, ProtocolVersion.V311)]
    [InlineData(QoS.ExactlyOnce, ProtocolVersion.V5)]
    public void A_message_from_the_template_is_whole(QoS qos, ProtocolVersion version)
    {
        BenchOptions options =
            BenchOptions.DefaultsOf(Scenario.Pairs) with { QoS = qos, Version = version, PayloadBytes = 300, WithProperties = version == ProtocolVersion.V5 };
        var source = new FixedTopicSource(new MessageBody(options), "bench/some/topic", 3);
        var stamp = new MessageStamp(1, 2, 3, 4);
        byte[] packet = new byte[source.MaxPacketBytes];
        Assert.Equal(packet.Length, source.Write(packet, stamp, 0x1234, out int deliveries));
        Assert.Equal(3, deliveries);
        Assert.Equal(FrameStatus.Complete, Frame.Cut(packet, int.MaxValue, out Frame frame, out _));
        Assert.True(PublishPacket.TryParse(frame, version, out PublishPacket publish, out _));
        Assert.Equal("bench/some/topic", Encoding.UTF8.GetString(publish.Topic));
        Assert.Equal((qos, qos == QoS.AtMostOnce ? 0 : 0x1234), (publish.QoS, publish.PacketId));
        Assert.Equal(version == ProtocolVersion.V5, publish.Properties.Has(PropertyId.UserProperty));
        Assert.True(MessageStamp.TryRead(publish.Payload, 300, out MessageStamp read));
        Assert.Equal(stamp, read);
    }

    [Theory]
    [InlineData(QoS.AtMostOnce, false)]
    [InlineData(QoS.AtLeastOnce, true)]
    public void The_first_message_with_an_alias_names_the_topic_and_those_behind_it_do_not(QoS qos, bool withProperties)
    {
        BenchOptions options =
            BenchOptions.DefaultsOf(Scenario.Pairs) with { QoS = qos, Version = ProtocolVersion.V5, WithProperties = withProperties, WithAliases = true };
        var source = new FixedTopicSource(new MessageBody(options), "bench/some/topic", 1);
        source.UseAlias();
        byte[] bytes = new byte[source.MaxPacketBytes];
        for (ushort id = 1; id <= 3; id++)
        {
            var stamp = new MessageStamp(1, 2, id, 4);
            int length = source.Write(bytes, stamp, id, out _);
            Assert.Equal(FrameStatus.Complete, Frame.Cut(bytes.AsSpan(0, length), int.MaxValue, out Frame frame, out _));
            Assert.Equal(length, frame.Length);
            Assert.True(PublishPacket.TryParse(frame, ProtocolVersion.V5, out PublishPacket publish, out _));
            Assert.Equal(id == 1 ? "bench/some/topic" : "", Encoding.UTF8.GetString(publish.Topic));
            Assert.Equal(1u, publish.Properties.GetNumber(PropertyId.TopicAlias, 0));
            Assert.Equal(withProperties, publish.Properties.Has(PropertyId.UserProperty));
            Assert.Equal(qos == QoS.AtMostOnce ? 0 : id, publish.PacketId);
            Assert.True(MessageStamp.TryRead(publish.Payload, options.PayloadBytes, out MessageStamp read));
            Assert.Equal(stamp, read);
        }
    }

    private static BenchResult Result(int rate) =>
        new() { Options = BenchOptions.DefaultsOf(Scenario.Pairs) with { RatePerSecond = rate }, Seconds = 2, Done = 1000, Generator = default };

    private static bool Matches(string filter, string topic)
    {
        string[] levels = topic.Split('/');
        string[] wanted = filter.Split('/');
        for (int i = 0; i < wanted.Length; i++)
        {
            if (wanted[i] == "#") return true;
            if (i >= levels.Length || (wanted[i] != "+" && wanted[i] != levels[i])) return false;
        }

        return wanted.Length == levels.Length;
    }
}
