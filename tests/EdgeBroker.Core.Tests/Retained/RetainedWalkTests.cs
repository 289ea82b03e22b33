using System.Text;
using CsCheck;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Retained;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Core.Tests.Topics;

namespace EdgeBroker.Core.Tests.Retained;

public sealed class RetainedWalkTests
{
    [Fact]
    public void A_walk_meets_each_value_that_lasts_once_and_none_that_came_later() => Steps.Of(8, 200).Sample(steps =>
    {
        var retained = new RetainedMessages(VolatileJournal.Instance, new MemoryLedger());
        var model = new Dictionary<string, string>();
        var walks = new List<Walker>();
        int value = 0;
        foreach ((int op, int a, int b) in steps)
        {
            string topic = Naive.Topic(a, b);
            if (op < 4) Set((++value).ToString(System.Globalization.CultureInfo.InvariantCulture));
            else if (op == 4) Set("");
            else if (op == 5) walks.Add(new Walker(retained, model, Plain(Naive.Filter(a, b))));
            else walks.ForEach(walk => walk.Take(1 + (b % 5)));
            Assert.Equal(model.Count, retained.Count);

            void Set(string payload)
            {
                retained.Set(new Publication { Topic = Encoding.UTF8.GetBytes(topic), Payload = Encoding.UTF8.GetBytes(payload) }, 0, out _);
                walks.ForEach(walk => walk.Changed(topic));
                if (payload.Length == 0) model.Remove(topic);
                else model[topic] = payload;
            }
        }

        walks.ForEach(walk => walk.Finish());
        new Walker(retained, model, "#").Finish();
        Assert.Equal(model.Sum(one => Encoding.UTF8.GetByteCount(one.Key) + one.Value.Length), retained.SizeBytes);
    });

    [Theory]
    [InlineData("a/#", "a a/b a/b/c")]
    [InlineData("#", "/ a a/b a/b/c")]
    [InlineData("+/#", "/ a a/b a/b/c")]
    [InlineData("+", "a")]
    [InlineData("a/+", "a/b")]
    [InlineData("+/+", "/ a/b")]
    [InlineData("$x/#", "$x $x/y")]
    [InlineData("$x/+", "$x/y")]
    [InlineData("/#", "/")]
    [InlineData("a/b/c/#", "a/b/c")]
    [InlineData("b/#", "")]
    public void Filters_find_their_topics(string filter, string found)
    {
        var retained = new RetainedMessages(VolatileJournal.Instance, new MemoryLedger());
        foreach (string topic in (string[])["a", "a/b", "a/b/c", "/", "$x", "$x/y"])
        {
            retained.Set(new Publication { Topic = Encoding.UTF8.GetBytes(topic), Payload = "v"u8 }, 0, out _);
        }

        var topics = new List<string>();
        RetainedWalk? walk = retained.Walk(Encoding.UTF8.GetBytes(filter));
        Message? message = null;
        while (walk?.TryTake(out message) == true) topics.Add(Encoding.UTF8.GetString(message!.Topic));
        Assert.Equal(found, string.Join(' ', topics.Order(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData("b/c", false)]
    [InlineData("a", false)]
    [InlineData("a/none/+", false)]
    [InlineData("a/b", true)]
    [InlineData("a/#", true)]
    [InlineData("+/none", true)]
    public void There_is_no_walk_where_the_first_levels_lead_nowhere(string filter, bool walks)
    {
        var retained = new RetainedMessages(VolatileJournal.Instance, new MemoryLedger());
        retained.Set(new Publication { Topic = "a/b"u8, Payload = "v"u8 }, 0, out _);
        Assert.Equal(walks, retained.Walk(Encoding.UTF8.GetBytes(filter)) is not null);
    }

    [Fact]
    public void A_walk_that_finds_nothing_in_a_large_tree_pauses_now_and_then()
    {
        var retained = new RetainedMessages(VolatileJournal.Instance, new MemoryLedger());
        for (int i = 0; i < 20_000; i++) retained.Set(new Publication { Topic = Encoding.UTF8.GetBytes("t/" + i), Payload = "v"u8 }, 0, out _);
        retained.Set(new Publication { Topic = "t/x/y"u8, Payload = "v"u8 }, 0, out _);
        RetainedWalk walk = retained.Walk("t/+/y"u8)!;
        int pauses = 0, found = 0;
        while (!walk.IsDone)
        {
            if (walk.TryTake(out _)) found++;
            else pauses++;
        }

        Assert.Equal(1, found);
        Assert.InRange(pauses, 4, 20);
    }

    [Fact]
    public async Task Walks_and_changes_from_many_threads_do_not_disturb_each_other()
    {
        var retained = new RetainedMessages(VolatileJournal.Instance, new MemoryLedger());
        for (int i = 0; i < 500; i++) retained.Set(new Publication { Topic = Encoding.UTF8.GetBytes("lasting/" + i), Payload = "v"u8 }, 0, out _);
        bool done = false;
        Task churn = Task.Run(() =>
        {
            var random = new Random(1);
            while (!Volatile.Read(ref done))
            {
                byte[] topic = Encoding.UTF8.GetBytes($"{(random.Next(2) == 0 ? "lasting" : "other")}/x{random.Next(300)}");
                retained.Set(new Publication { Topic = topic, Payload = random.Next(2) == 0 ? default : "w"u8 }, 0, out _);
            }
        });
        for (int round = 0; round < 200; round++)
        {
            var met = new HashSet<string>();
            RetainedWalk walk = retained.Walk("lasting/+"u8)!;
            while (walk.TryTake(out Message? message)) Assert.True(met.Add(Encoding.UTF8.GetString(message.Topic)) || message.Payload is [(byte)'w']);
            Assert.Equal(500, met.Count(topic => !topic.Contains('x')));
        }

        Volatile.Write(ref done, true);
        await churn;
    }

    // Blocks are used again all the time for values of other topics: a reader that saw one that was given back would see another topic's bytes.
    [Fact]
    public async Task Whoever_reads_sees_whole_values_of_their_own_topics()
    {
        var retained = new RetainedMessages(VolatileJournal.Instance, new MemoryLedger());
        bool done = false;
        Task[] writers = [.. Enumerable.Range(0, 3).Select(writer => Task.Run(() =>
        {
            var random = new Random(writer);
            while (!Volatile.Read(ref done)) Write(random);
        }))];
        int read = 0;
        Task[] readers = [.. Enumerable.Range(0, 3).Select(reader => Task.Run(() =>
        {
            var random = new Random(100 + reader);
            while (Volatile.Read(ref read) < 50_000 && !writers.Any(one => one.IsCompleted))
            {
                RetainedWalk? walk = retained.Walk(random.Next(3) switch { 0 => "#"u8, 1 => "a/+/x"u8, _ => "+/1/#"u8 });
                while (walk is { IsDone: false } && walk.TryTake(out Message? message)) Check(message);
                // Some are given up on the way.
                RetainedWalk? other = retained.Walk("#"u8);
                if (other?.TryTake(out Message? first) == true) Check(first);
                other?.GiveUp();
                if (retained.Get(Topic(random)) is { } one) Check(one);
                Assert.InRange(retained.Count, 0, 600);
            }
        }))];
        await Task.WhenAll(readers);
        Volatile.Write(ref done, true);
        await Task.WhenAll(writers);
        Assert.InRange(read, 50_000, int.MaxValue);
        var left = new List<byte[]>();
        if (retained.Walk("#"u8) is { } all)
        {
            while (all.TryTake(out Message? message)) left.Add(message.Topic);
        }

        Assert.Equal(retained.Count, left.Count);
        foreach (byte[] topic in left) retained.Set(new Publication { Topic = topic }, 0, out _);
        Assert.Equal((0, 0L, 0L), (retained.Count, retained.SizeBytes, retained.Tree.MappedBytes));

        // A value is one byte again and again, which the topic says, and tells its length.
        void Write(Random random)
        {
            byte[] topic = Topic(random);
            byte[] payload = new byte[random.Next(4) == 0 ? 0 : 4 + random.Next(random.Next(50) == 0 ? 20_000 : 300)];
            payload.AsSpan().Fill(Mark(topic));
            if (payload.Length > 0) BitConverter.TryWriteBytes(payload, payload.Length);
            retained.Set(new Publication { Topic = topic, Payload = payload }, 0, out _);
        }

        void Check(Message message)
        {
            Interlocked.Increment(ref read);
            Assert.Equal(message.Payload.Length, BitConverter.ToInt32(message.Payload));
            Assert.Equal(-1, message.Payload.AsSpan(4).IndexOfAnyExcept(Mark(message.Topic)));
        }

        static byte[] Topic(Random random)
        {
            string rest = random.Next(3) switch { 0 => "", 1 => "/x", _ => "/x/" + new string('y', 40) };
            return Encoding.UTF8.GetBytes($"{"ab"[random.Next(2)]}/{random.Next(100)}{rest}");
        }

        static byte Mark(byte[] topic) => (byte)topic.Aggregate(17, (mark, one) => (mark * 31) + one);
    }

    private static string Plain(string filter) => filter.StartsWith("$share/", StringComparison.Ordinal) ? filter["$share/g/".Length..] : filter;

    /// <summary>A walk under way, and what it may and must meet.</summary>
    private sealed class Walker(RetainedMessages retained, Dictionary<string, string> model, string filter)
    {
        private readonly RetainedWalk? _walk = retained.Walk(Encoding.UTF8.GetBytes(filter));
        private readonly Dictionary<string, string> _there = model.Where(one => Naive.Matches(filter, one.Key)).ToDictionary();
        private readonly HashSet<string> _changed = [];
        private readonly HashSet<string> _met = [];

        public void Changed(string topic) => _changed.Add(topic);

        public bool Take(int count)
        {
            for (; count > 0; count--)
            {
                if (_walk is null || !_walk.TryTake(out Message? message)) return false;
                string topic = Encoding.UTF8.GetString(message.Topic);
                Assert.True(_met.Add(topic), $"{topic} was met twice by {filter}");
                Assert.Equal(_there.GetValueOrDefault(topic), Encoding.UTF8.GetString(message.Payload));
            }

            return true;
        }

        public void Finish()
        {
            while (Take(100))
            {
            }

            Assert.Equal(_there.Keys.Where(topic => !_changed.Contains(topic)).Order(), _met.Where(topic => !_changed.Contains(topic)).Order());
        }
    }
}
