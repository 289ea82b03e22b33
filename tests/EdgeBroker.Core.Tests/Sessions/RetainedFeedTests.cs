using System.Text;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Retained;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class RetainedFeedTests
{
    private readonly RetainedMessages _retained = new(VolatileJournal.Instance, new MemoryLedger());
    private readonly Session _session = Loose.Session("c");

    public RetainedFeedTests() => _retained.Set(new Publication { Topic = "a"u8, Payload = "1"u8 }, 0, out _);

    [Fact]
    public void Filters_are_served_in_their_order_one_at_a_time()
    {
        var feed = new RetainedFeed();
        Assert.False(feed.HasMore);
        Assert.Null(feed.Take());
        RetainedDelivery first = Owed("a"), second = Owed("+");
        feed.Add(first);
        feed.Add(second);
        Assert.Same(first, feed.Take());
        Assert.Null(feed.Take());
        feed.PutBack(first, isDone: false);
        Assert.Same(first, feed.Take());
        feed.PutBack(first, isDone: true);
        Assert.Same(second, feed.Take());
        Assert.True(feed.HasMore);
        feed.PutBack(second, isDone: true);
        Assert.False(feed.HasMore);
    }

    [Fact]
    public void A_filter_unsubscribed_while_a_slice_of_it_is_sent_does_not_come_back()
    {
        var feed = new RetainedFeed();
        RetainedDelivery delivery = Owed("a");
        feed.Add(delivery);
        feed.Take();
        feed.Remove("a"u8.ToArray());
        Assert.True(delivery.IsForgotten);
        feed.PutBack(delivery, isDone: false);
        Assert.False(feed.HasMore);
    }

    [Fact]
    public void A_filter_subscribed_anew_begins_anew_behind_the_others()
    {
        var feed = new RetainedFeed();
        feed.Add(Owed("a"));
        RetainedDelivery other = Owed("+"), again = Owed("a");
        feed.Add(other);
        feed.Remove("a"u8.ToArray());
        feed.Add(again);
        Assert.Same(other, feed.Take());
        feed.PutBack(other, isDone: true);
        Assert.Same(again, feed.Take());
    }

    [Fact]
    public void Nothing_is_owed_after_the_last_filter_is_removed()
    {
        var feed = new RetainedFeed();
        feed.Add(Owed("a"));
        feed.Remove("b"u8.ToArray());
        Assert.True(feed.HasMore);
        feed.Remove("a"u8.ToArray());
        Assert.False(feed.HasMore);
        Assert.Null(feed.Take());
    }

    private RetainedDelivery Owed(string filter) => new(_retained.Walk(Encoding.UTF8.GetBytes(filter))!, Loose.Subscribe(_session, filter));
}
