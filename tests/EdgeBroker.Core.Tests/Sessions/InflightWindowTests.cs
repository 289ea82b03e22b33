using CsCheck;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class InflightWindowTests
{
    [Fact]
    public void Behaves_as_a_list_of_numbered_slots() => Steps.Of(5, 600).Sample(steps =>
    {
        var window = new InflightWindow();
        // The oldest open slot first; null marks a done one.
        var model = new List<(ushort Id, long Position)?>();
        long lastPosition = 0;
        long position = 0;
        foreach ((int op, int a, _) in steps)
        {
            if (op < 3 || model.Count == 0)
            {
                // Dropped messages leave gaps.
                position += op == 0 && model.Count > 0 ? 1 + (a % 3) : 1;
                for (long gap = model.Count == 0 ? position : lastPosition + 1; gap < position; gap++) model.Add(null);
                lastPosition = position;
                ushort id = (ushort)(((position - 1) % ushort.MaxValue) + 1);
                int added = window.Add(new QueuedMessage { Position = position, State = DeliveryState.Published });
                model.Add((id, position));
                Assert.Equal((model.Count - 1, id), (added, window.IdAt(added)));
            }
            else
            {
                int slot = op == 3 ? model.FindIndex(one => one is not null) : a % model.Count;
                if (model[slot] is not { } open) continue;
                Assert.Equal(slot, window.Find(open.Id));
                window.Remove(slot);
                model[slot] = null;
                while (model is [null, ..]) model.RemoveAt(0);
                Assert.Equal(-1, window.Find(open.Id));
            }

            Assert.Equal(model.Count, window.Span);
            Assert.Equal(model.Count(one => one is not null), window.Count);
            for (int slot = 0; slot < model.Count; slot++)
            {
                Assert.Equal(model[slot]?.Position ?? 0, window.At(slot).Position);
                if (model[slot] is { } open) Assert.Equal((open.Id, slot), (window.IdAt(slot), window.Find(open.Id)));
            }
        }
    });

    [Fact]
    public void Identifiers_go_round_without_zero()
    {
        var window = new InflightWindow();
        var ids = new HashSet<ushort>();
        for (int i = 1; i <= ushort.MaxValue; i++)
        {
            ushort id = Add(window, i);
            Assert.True(id != 0 && ids.Add(id));
            window.Remove(window.Find(id));
        }

        Assert.Equal(1, Add(window, ushort.MaxValue + 1));
    }

    [Fact]
    public void One_message_left_open_stops_the_window_before_identifiers_could_meet_again()
    {
        var window = new InflightWindow();
        Add(window, 1);
        int last = 1;
        while (window.HasRoomFor(last + 1)) window.Remove(window.Find(Add(window, ++last)));

        Assert.InRange(last, 1_000, 60_000);
        Assert.Equal(1, window.Count);
        window.Remove(window.Find(1));
        Assert.Equal((0, 0), (window.Count, window.Span));
        Assert.True(window.HasRoomFor(last + 1));
    }

    [Fact]
    public void One_restored_behind_its_predecessors_lets_them_in_before_it()
    {
        var window = new InflightWindow();
        Add(window, 65_540);
        Add(window, 65_541);
        Assert.Equal(0, window.Add(new QueuedMessage { Position = 65_530, State = DeliveryState.Published }));
        Assert.Equal((12, 3), (window.Span, window.Count));
        Assert.Equal((0, 10, 11, -1), (window.Find(65_530), window.Find(5), window.Find(6), window.Find(65_531)));
        Assert.Equal(3, window.Add(new QueuedMessage { Position = 65_533, State = DeliveryState.Published }));
        window.Remove(0);
        Assert.Equal((0, 7), (window.Find(65_533), window.Find(5)));
    }

    [Fact]
    public void A_window_that_was_large_once_weighs_little_with_one_message()
    {
        var window = new InflightWindow();
        int last = 0;
        while (last < 10_000) Add(window, ++last);
        for (int id = 1; id <= 10_000; id++) window.Remove(window.Find((ushort)id));
        // With what a collection on another thread takes of this thread's buffer meanwhile.
        Assert.InRange(AllocatedBy(() => Add(window, ++last)), 1, 10_000);
        // As many as are expected now, not as many as there once were.
        Assert.InRange(AllocatedBy(() => { while (last < 10_010) Add(window, ++last); }), 1, 40_000);
    }

    private static long AllocatedBy(Action action)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static ushort Add(InflightWindow window, long position) =>
        window.IdAt(window.Add(new QueuedMessage { Position = position, State = DeliveryState.Published }));
}
