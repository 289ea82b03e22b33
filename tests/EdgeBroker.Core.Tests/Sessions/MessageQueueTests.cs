using CsCheck;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class MessageQueueTests
{
    [Fact]
    public void Is_first_in_first_out_and_knows_its_weight() => Steps.Of(5, 500).Sample(steps =>
    {
        var queue = new MessageQueue(new MemoryLedger());
        var model = new Queue<Message>();
        long position = 0;
        foreach ((int op, int a, _) in steps)
        {
            if (op < 3 || model.Count == 0)
            {
                var message = new Message { Topic = new byte[1 + (a % 7)], Payload = new byte[a % 50] };
                queue.Enqueue(new QueuedMessage { Message = message, SizeBytes = message.SizeBytes, Position = ++position, State = DeliveryState.Queued });
                model.Enqueue(message);
            }
            else
            {
                Assert.True(queue.IsHeadLoaded);
                Assert.Same(model.Peek(), queue.Peek().Message);
                Assert.Same(model.Dequeue(), queue.Dequeue(null).Message);
            }

            Assert.Equal((model.Count, model.Sum(message => (long)message.SizeBytes)), (queue.Count, queue.SizeBytes));
        }
    });

    [Fact]
    public void What_is_put_together_anew_is_what_was_there_less_what_was_superseded()
    {
        var queue = new MessageQueue(new MemoryLedger());
        queue.KeepLatest(true);
        for (int i = 1; i <= 200; i++)
        {
            byte[] topic = [(byte)(i % 7 == 0 ? i : i % 50)];
            queue.Supersede(topic);
            var message = new Message { Topic = topic, Payload = [1] };
            queue.Enqueue(new QueuedMessage { Message = message, SizeBytes = 2, Position = i, State = DeliveryState.Queued });
        }

        (int count, long bytes) = (queue.Count, queue.SizeBytes);
        queue.Rebuild(new SendWindow());
        Assert.Equal((count, bytes), (queue.Count, queue.SizeBytes));
        Assert.True(queue.Supersede([1]));
        for (long last = 0; queue.Count > 0;)
        {
            QueuedMessage message = queue.Dequeue(null);
            Assert.True(message is { Message: not null } && message.Position > last);
            last = message.Position;
        }
    }
}
