using CsCheck;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class SpilledQueueTests
{
    private static readonly long[] Jumps = [1, 0, -1, 63, -64, 64, 8_191, -8_193, int.MaxValue, -(long)int.MaxValue, 1L << 40];

    [Fact]
    public void Gives_back_what_it_was_given_whatever_the_differences() => Steps.Of(10, 400).Sample(steps =>
    {
        var queue = new SpilledQueue();
        var model = new List<SpilledDelivery>();
        var removed = new List<SpilledDelivery>();
        long id = 0, position = 0;
        foreach ((int op, int a, int b) in steps)
        {
            switch (op)
            {
                case < 5:
                    id += Jumps[a % Jumps.Length];
                    position += Jumps[b % Jumps.Length];
                    var options = (DeliveryOptions)(1 + (b % 2) + (a % 16 * 4));
                    int size = a % 3 == 0 ? int.MaxValue - a : a;
                    long expiresAtMs = b % 3 == 0 ? Message.Never : Jumps[a % Jumps.Length] * b;
                    var delivery = new SpilledDelivery(id, position, size, expiresAtMs, options, (a % 7) - 3);
                    // Removal is by position, which no two have.
                    if (model.Concat(removed).Any(other => other.Position == position)) break;
                    queue.Enqueue(delivery);
                    model.Add(delivery);
                    break;
                case < 7:
                    Assert.Equal(model.Count > 0, queue.TryPeek(out SpilledDelivery first));
                    Assert.Equal(model.Count > 0, queue.TryDequeue(out SpilledDelivery actual));
                    if (model.Count == 0) break;
                    Assert.Equal((model[0], model[0]), (first, actual));
                    model.RemoveAt(0);
                    break;
                case 7 when a % 20 == 0:
                    TakeRemoved(all: true);
                    queue.Clear();
                    model.Clear();
                    break;
                case 8:
                    if (model.Count == 0) break;
                    SpilledDelivery one = model[a % model.Count];
                    queue.Remove(one.Position);
                    model.Remove(one);
                    removed.Add(one);
                    break;
                case 9:
                    TakeRemoved(all: a % 2 == 0);
                    break;
            }

            Assert.Equal(model.Count, queue.Count);
            Assert.True(queue.EarliestExpiryMs <= model.Select(one => one.ExpiresAtMs).DefaultIfEmpty(Message.Never).Min());
        }

        Assert.Equal(model, queue.ToList());
        Assert.Equal(model, queue.ToList());
        foreach (SpilledDelivery expected in model)
        {
            Assert.True(queue.TryDequeue(out SpilledDelivery actual));
            Assert.Equal(expected, actual);
        }

        Assert.False(queue.TryDequeue(out _));
        TakeRemoved(all: true);
        Assert.Empty(removed);

        void TakeRemoved(bool all)
        {
            foreach (SpilledDelivery one in queue.TakeRemoved(all) ?? []) Assert.True(removed.Remove(one));
            if (all) Assert.Empty(removed);
        }
    });
}
