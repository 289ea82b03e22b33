using CsCheck;
using EdgeBroker.Storage.Journal;

namespace EdgeBroker.Storage.Tests.Journal;

public sealed class MessageSegmentsTests
{
    [Fact]
    public void Takes_out_exactly_the_stretches_nobody_waits_for() => Gen.Select(Gen.Int[0, 9], Gen.Int[0, 9_999]).Array[0, 600].Sample(steps =>
    {
        var segments = new MessageSegments();
        var open = new SortedDictionary<long, int>();
        long last = 0;
        foreach ((int op, int a) in steps)
        {
            if (op < 4)
            {
                // Numbers are left out at times, whole stretches, too.
                last += a % 50 == 0 ? 200 : 1 + (a % 9);
                segments.Add(last, a % 4);
                open[last] = a % 4;
            }
            else if (op < 9)
            {
                KeyValuePair<long, int>[] waiting = [.. open.Where(one => one.Value > 0)];
                if (waiting.Length == 0) continue;
                long id = waiting[a % Math.Min(waiting.Length, 20)].Key;
                segments.Close(id);
                open[id]--;
            }
            else
            {
                Take(a % 3 == 0 ? 1 + (a % 4) : int.MaxValue);
            }

            Assert.Equal(open.Keys.Select(MessageSegments.Of).Distinct().Count(), segments.Count);
        }

        void Take(int atMost)
        {
            long[] expected = [.. open.GroupBy(one => MessageSegments.Of(one.Key))
                .Where(group => group.Key != MessageSegments.Of(last) && group.All(one => one.Value == 0))
                .Select(group => group.Key).Take(atMost)];
            List<(long First, long Last)> ranges = segments.TakeEmpty(atMost);
            Assert.Equal(expected, ranges.SelectMany(Stretches));
            // Neighbours go together.
            for (int i = 1; i < ranges.Count; i++) Assert.True(ranges[i].First > ranges[i - 1].Last + 1);
            foreach (long id in open.Keys.Where(id => expected.Contains(MessageSegments.Of(id))).ToList()) open.Remove(id);
        }
    });

    private static IEnumerable<long> Stretches((long First, long Last) range)
    {
        Assert.Equal((MessageSegments.FirstOf(MessageSegments.Of(range.First)), MessageSegments.LastOf(MessageSegments.Of(range.Last))), range);
        for (long segment = MessageSegments.Of(range.First); segment <= MessageSegments.Of(range.Last); segment++) yield return segment;
    }
}
