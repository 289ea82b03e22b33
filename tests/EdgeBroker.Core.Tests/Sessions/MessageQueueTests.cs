using CsCheck;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class MessageQueueTests
{
    [Fact]
    public void Is_first_in_first_out_and_knows_its_weight() => Steps.Of(5, 500).Sample(steps =>
    {
        var queue = new MessageQueue();
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
}
