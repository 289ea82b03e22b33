using CsCheck;
using EdgeBroker.Transport.Linux;

namespace EdgeBroker.Transport.Tests.Linux;

public sealed class TimerWheelTests
{
    private const int SlotMs = 100;

    [Fact]
    public void Never_early_at_most_a_slot_late_and_none_lost() =>
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 7], Gen.Int[0, 99_999]).Array[0, 150].Sample(steps =>
        {
            var wheel = new TimerWheel();
            Timed[] entries = [.. Enumerable.Range(0, 8).Select(_ => new Timed())];
            // Due, and the time it was set at: an entry set in the past cannot be on time.
            var model = new Dictionary<Timed, (long DueMs, long SetMs)>();
            long nowMs = 0;
            foreach ((int op, int which, int value) in steps)
            {
                Timed entry = entries[which];
                switch (op)
                {
                    case < 3: Set(value % 3_000); break;
                    case 3: Set(value % 200_000); break;
                    case 4: Set(-(value % 500)); break;
                    case 5:
                        wheel.Set(entry, long.MaxValue);
                        model.Remove(entry);
                        break;
                    case 6: nowMs += value; break;
                    default:
                        nowMs += value % 700;
                        Drain();
                        break;
                }

                void Set(long inMs)
                {
                    long dueMs = Math.Max(0, nowMs + inMs);
                    if (!model.TryGetValue(entry, out (long DueMs, long SetMs) old) || old.DueMs != dueMs) model[entry] = (dueMs, nowMs);
                    wheel.Set(entry, dueMs);
                }
            }

            nowMs += 300_000;
            for (int i = 0; i < 5; i++, nowMs += 100_000) Drain();
            Assert.Empty(model);
            Assert.Equal(-1, wheel.UntilNextMs(nowMs));

            void Drain()
            {
                for (int guard = 0; wheel.TakeDue(nowMs) is { } due; guard++)
                {
                    Assert.True(guard < entries.Length, "an endless loop");
                    Assert.True(model.Remove((Timed)due, out (long DueMs, long SetMs) at) && at.DueMs <= nowMs, "early");
                }

                Assert.All(model.Values, at => Assert.True(nowMs - Math.Max(at.DueMs, at.SetMs) < SlotMs, "late"));
                int until = wheel.UntilNextMs(nowMs);
                Assert.Equal(model.Count == 0, until < 0);
                if (until >= 0)
                {
                    Assert.True(nowMs + until <= Math.Max(nowMs, model.Values.Min(at => Math.Max(at.DueMs, at.SetMs))) + SlotMs, "it would sleep too long");
                }
            }
        }, iter: 1_500);

    private sealed class Timed : ITimed
    {
        private TimerPlace _place = new();

        public ref TimerPlace Place => ref _place;
    }
}
