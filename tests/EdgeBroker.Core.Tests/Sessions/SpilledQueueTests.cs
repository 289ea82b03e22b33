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
    public void Gives_back_what_it_was_given_whatever_the_differences() => Steps.Of(8, 400).Sample(steps =>
    {
        var queue = new SpilledQueue();
        var model = new Queue<SpilledDelivery>();
        long id = 0, position = 0;
        foreach ((int op, int a, int b) in steps)
        {
            switch (op)
            {
                case < 5:
                    id += Jumps[a % Jumps.Length];
                    position += Jumps[b % Jumps.Length];
                    var options = (DeliveryOptions)(1 + (b % 2) + (a % 16 * 4));
                    var delivery =
                        new SpilledDelivery(id, position, a % 3 == 0 ? int.MaxValue - a : a, b % 3 == 0 ? Message.Never : Jumps[a % Jumps.Length] * b, options);
                    queue.Enqueue(delivery);
                    model.Enqueue(delivery);
                    break;
                case < 7:
                    Assert.Equal(model.TryDequeue(out SpilledDelivery expected), queue.TryDequeue(out SpilledDelivery actual));
                    Assert.Equal(expected, actual);
                    break;
                case 7 when a % 20 == 0:
                    queue.Clear();
                    model.Clear();
                    break;
            }

            Assert.Equal(model.Count, queue.Count);
            Assert.True(queue.EarliestExpiryMs <= model.Select(one => one.ExpiresAtMs).DefaultIfEmpty(Message.Never).Min());
        }

        Assert.Equal(model, queue.ToList());
        Assert.Equal(model, queue.ToList());
        while (model.TryDequeue(out SpilledDelivery expected))
        {
            Assert.True(queue.TryDequeue(out SpilledDelivery actual));
            Assert.Equal(expected, actual);
        }

        Assert.False(queue.TryDequeue(out _));
    });
}
