using System.Globalization;
using System.Text;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Retained;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Retained;

/// <summary>Values that are set or deleted on a condition: of several who do so at once each sees what the others have done.</summary>
public sealed class RetainedConditionTests
{
    private const int Writers = 4;

    private readonly RecordedEvents _events = new();
    private readonly Broker _broker;
    private readonly BrokerView _view;

    public RetainedConditionTests()
    {
        _broker = new Broker(
            TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(_events), "test");
        _view = new BrokerView(_broker, new RecentRefusals(TimeProvider.System));
    }

    [Fact]
    public void Of_several_who_set_what_has_no_value_one_succeeds()
    {
        int[] succeeded = new int[200];
        Race(writer =>
        {
            for (int i = 0; i < succeeded.Length; i++)
            {
                if (TrySet($"t/{i}", writer, present => present is null)) Interlocked.Increment(ref succeeded[i]);
            }
        });
        Assert.All(succeeded, count => Assert.Equal(1, count));
    }

    [Fact]
    public void Nobody_overwrites_what_he_has_not_seen()
    {
        const int each = 200;
        TrySet("sum", 0, _ => true);
        Race(_ =>
        {
            for (int done = 0; done < each;)
            {
                string seen = Text(_broker.FindRetained("sum"u8)!);
                if (TrySet("sum", int.Parse(seen, CultureInfo.InvariantCulture) + 1, present => Text(present!) == seen)) done++;
            }
        });
        Assert.Equal((Writers * each).ToString(CultureInfo.InvariantCulture), Text(_broker.FindRetained("sum"u8)!));
    }

    [Fact]
    public void Whose_condition_does_not_hold_reaches_nobody()
    {
        TrySet("t", 1, _ => true);
        using LocalClient subscriber = _broker.OpenLocal("subscriber", new LocalClientOptions());
        subscriber.Subscribe("#", new SubscriptionOptions(QoS.AtLeastOnce, retainHandling: RetainHandling.DoNotSend));
        Assert.False(TrySet("t", 2, present => present is null));
        Assert.False(subscriber.TryRead(out _));
        Assert.Equal("1", Text(_broker.FindRetained("t"u8)!));
        Assert.DoesNotContain(_events.All, one => one.Kind is BrokerEventKind.PublishRefused or BrokerEventKind.Dropped);
    }

    [Fact]
    public void A_value_is_deleted_only_as_it_was_seen()
    {
        TrySet("t", 1, _ => true);
        var other = new RetainedCondition(present => Text(present!) == "0");
        Assert.False(_view.DeleteRetained("t", other, out _));
        Assert.True(other.HasFailed);
        var none = new RetainedCondition(_ => false);
        Assert.False(_view.DeleteRetained("nothing", none, out _));
        Assert.False(none.HasFailed);
        Assert.True(_view.DeleteRetained("t", new RetainedCondition(present => Text(present!) == "1"), out _));
        Assert.Null(_broker.FindRetained("t"u8));
    }

    private static string Text(Message message) => Encoding.UTF8.GetString(message.Payload);

    private static void Race(Action<int> write)
    {
        Thread[] threads = [.. Enumerable.Range(0, Writers).Select(writer => new Thread(() => write(writer)))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
    }

    private bool TrySet(string topic, int value, Func<Message?, bool> holds)
    {
        using LocalClient client = _broker.OpenLocal("writer-" + Guid.NewGuid(), new LocalClientOptions());
        var message = new Message
        {
            Topic = Encoding.UTF8.GetBytes(topic),
            Payload = Encoding.UTF8.GetBytes(value.ToString(CultureInfo.InvariantCulture)),
            QoS = QoS.AtLeastOnce,
            Retain = true,
        };
        var condition = new RetainedCondition(holds);
        ReasonCode reason = client.PublishAsync(message, condition).GetAwaiter().GetResult();
        Assert.Equal(condition.HasFailed, reason.IsError());
        return !condition.HasFailed;
    }
}
