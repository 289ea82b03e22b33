using CsCheck;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class StoreUsersTests
{
    [Fact]
    public void One_of_the_largest_is_found_whatever_came_and_went() => Steps.Of(10, 200).Sample(steps =>
    {
        var bench = new Bench(new MqttOptions { SysInterval = TimeSpan.Zero }, new TestJournal { CommitsAtOnce = false });
        var names = Enumerable.Range(0, 6).Select(i => "c" + i).ToArray();
        foreach (string name in names) Away(bench, name, cleanStart: false);
        var users = bench.Broker.StoreUsers;
        foreach ((int op, int a, int b) in steps)
        {
            string name = names[a % names.Length];
            switch (op)
            {
                case < 6:
                    bench.Publish(name, new string('x', 1 << (b % 16)), (QoS)(1 + (b % 2)));
                    break;
                case < 8:
                    bench.Broker.FindSession(name)!.DropForStore(1 << (b % 16), 1 + (b % 3), out _);
                    break;
                case 8:
                    Away(bench, name, cleanStart: true);
                    break;
                default:
                    // Not of its own will any more: nothing of it may be dropped.
                    Away(bench, name, cleanStart: false, b % 2 == 0 ? QueueOverflow.Reject : QueueOverflow.DropOldest);
                    break;
            }

            long most = names.Max(one => bench.Broker.FindSession(one)!.DroppableStoreBytes);
            Session? largest = users.FindLargest();
            Assert.Equal(most > 0, largest is not null);
            // Half of a bound, where it may be twice that bound.
            if (largest is not null) Assert.InRange(most, largest.DroppableStoreBytes, largest.DroppableStoreBytes * 4);
        }
    }, iter: 300);

    private static void Away(Bench bench, string name, bool cleanStart, QueueOverflow overflow = QueueOverflow.DropOldest)
    {
        var policy = new QueuePolicy(1_000, long.MaxValue, null, null, overflow, KeepsQoS0: false);
        Client client = bench.Connect(name, cleanStart, expirySeconds: 600, policy: policy);
        client.Subscribe(name, QoS.ExactlyOnce);
        client.Drop();
    }
}
