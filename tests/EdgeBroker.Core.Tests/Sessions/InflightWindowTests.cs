using CsCheck;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class InflightWindowTests
{
    [Fact]
    public void Behaves_as_a_list_of_numbered_places() => Steps.Of(5, 600).Sample(steps =>
    {
        var window = new InflightWindow();
        // The oldest open place first; null marks a done one.
        var model = new List<(ushort Id, long Position)?>();
        int lastId = 0;
        long position = 0;
        foreach ((int op, int a, _) in steps)
        {
            if (op < 3 || model.Count == 0)
            {
                lastId = (lastId % ushort.MaxValue) + 1;
                Assert.Equal(lastId, window.Add(new QueuedMessage { Position = ++position, State = DeliveryState.Published }));
                model.Add(((ushort)lastId, position));
            }
            else
            {
                int place = op == 3 ? model.FindIndex(one => one is not null) : a % model.Count;
                if (model[place] is not { } open) continue;
                Assert.Equal(place, window.Find(open.Id));
                window.Remove(place);
                model[place] = null;
                while (model is [null, ..]) model.RemoveAt(0);
                Assert.Equal(-1, window.Find(open.Id));
            }

            Assert.Equal(model.Count, window.Span);
            Assert.Equal(model.Count(one => one is not null), window.Count);
            for (int place = 0; place < model.Count; place++)
            {
                Assert.Equal(model[place]?.Position ?? 0, window.At(place).Position);
                if (model[place] is { } open) Assert.Equal((open.Id, place), (window.IdAt(place), window.Find(open.Id)));
            }
        }
    });

    [Fact]
    public void Identifiers_go_round_without_zero()
    {
        var window = new InflightWindow();
        var ids = new HashSet<ushort>();
        for (int i = 0; i < ushort.MaxValue; i++)
        {
            ushort id = window.Add(new QueuedMessage { State = DeliveryState.Published });
            Assert.True(id != 0 && ids.Add(id));
            window.Remove(window.Find(id));
        }

        Assert.Equal(1, window.Add(new QueuedMessage { State = DeliveryState.Published }));
    }

    [Fact]
    public void One_message_left_open_stops_the_window_before_identifiers_could_meet_again()
    {
        var window = new InflightWindow();
        window.Add(new QueuedMessage { State = DeliveryState.Published });
        int added = 0;
        while (window.HasRoom)
        {
            ushort id = window.Add(new QueuedMessage { State = DeliveryState.Published });
            window.Remove(window.Find(id));
            added++;
        }

        Assert.InRange(added, 1_000, 60_000);
        Assert.Equal(1, window.Count);
        window.Remove(window.Find(1));
        Assert.Equal((0, 0), (window.Count, window.Span));
        Assert.True(window.HasRoom);
    }
}
