using EdgeBroker.Webhooks.Delivery;
using EdgeBroker.Webhooks.Events;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Webhooks.Tests;

/// <summary>What waits for a receiver: its order, its bounds, and what goes when they are reached.</summary>
public sealed class EventQueueTests
{
    private static readonly WebhookOptions Options = new()
    {
        Name = "n",
        Url = new Uri("http://n/"),
        Events = [],
        BatchEvents = 100,
        QueueEvents = 4,
        QueueBytes = 1_000,
    };

    private readonly FakeTimeProvider _time = new();
    private readonly EventQueue _queue;
    private long _bytes;

    public EventQueueTests() => _queue = new EventQueue(_time, bytes => _bytes += bytes);

    [Fact]
    public void Events_leave_in_the_order_they_came_whatever_they_are_about()
    {
        Offer(WebhookEventType.MessagePublished, "a");
        Offer(WebhookEventType.ClientConnected, "b");
        Offer(WebhookEventType.SubscriptionCreated, "c");
        Offer(WebhookEventType.MessagePublished, "d");
        Assert.Equal(["a", "b", "c", "d"], Take());
    }

    [Fact]
    public void When_it_is_full_what_matters_least_goes_first_and_the_oldest_of_that()
    {
        Offer(WebhookEventType.ClientConnected, "client");
        Offer(WebhookEventType.MessagePublished, "message 1");
        Offer(WebhookEventType.MessageDelivered, "message 2");
        Offer(WebhookEventType.AuthzPublishDenied, "refusal");
        Offer(WebhookEventType.SubscriptionCreated, "subscription");
        Offer(WebhookEventType.AuthSuccess, "login");
        Offer(WebhookEventType.ClientDisconnected, "end");
        Offer(WebhookEventType.ClientConnected, "another");
        Assert.Equal(["client", "login", "end", "another"], Take());
        Assert.Equal(4, _queue.Dropped(WebhookDropCause.Full));
    }

    [Fact]
    public void What_matters_less_than_all_that_waits_is_dropped_itself()
    {
        for (int i = 0; i < 4; i++) Offer(WebhookEventType.ClientConnected, "client");
        Offer(WebhookEventType.MessagePublished, "message");
        Assert.Equal(["client", "client", "client", "client"], Take());
        Assert.Equal(1, _queue.Dropped(WebhookDropCause.Full));
    }

    [Fact]
    public void It_is_bounded_in_bytes_as_well()
    {
        Offer(WebhookEventType.MessagePublished, "a", 400);
        Offer(WebhookEventType.MessagePublished, "b", 400);
        Offer(WebhookEventType.MessagePublished, "c", 400);
        Offer(WebhookEventType.ClientConnected, "too large for any queue", 1_001);
        Assert.Equal((2, 800L, 800L), (_queue.Count, _queue.Bytes, _bytes));
        Assert.Equal(["b", "c"], Take());
        Assert.Equal(0, _bytes);
    }

    [Fact]
    public void Of_messages_a_thousand_a_second_are_taken_and_all_of_the_rest()
    {
        WebhookOptions wide = Options with { QueueEvents = 10_000, QueueBytes = 1 << 30 };
        for (int i = 0; i < 1_010; i++) _queue.Offer(Of(WebhookEventType.MessagePublished, "m", 10), wide, null);
        for (int i = 0; i < 10; i++) _queue.Offer(Of(WebhookEventType.ClientConnected, "c", 10), wide, null);
        Assert.Equal((1_010, 10L), (_queue.Count, _queue.Dropped(WebhookDropCause.Rate)));
        _time.Advance(TimeSpan.FromSeconds(1));
        _queue.Offer(Of(WebhookEventType.MessagePublished, "m", 10), wide, null);
        Assert.Equal((1_011, 10L), (_queue.Count, _queue.Dropped(WebhookDropCause.Rate)));
    }

    [Fact]
    public void What_is_too_old_is_dropped_when_it_would_be_sent()
    {
        Offer(WebhookEventType.ClientConnected, "old");
        _time.Advance(TimeSpan.FromMinutes(14));
        Offer(WebhookEventType.ClientConnected, "young");
        _time.Advance(TimeSpan.FromMinutes(1) + TimeSpan.FromTicks(1));
        Assert.Equal(TimeSpan.FromMinutes(15) + TimeSpan.FromTicks(1), _queue.OldestAge());
        Assert.Equal(["young"], Take());
        Assert.Equal(1, _queue.Dropped(WebhookDropCause.Age));
        Assert.Null(_queue.OldestAge());
        Assert.Equal(0, _bytes);
    }

    [Fact]
    public void A_batch_has_a_hundred_events_and_a_megabyte_at_most()
    {
        WebhookOptions wide = Options with { QueueEvents = 1_000, QueueBytes = 1 << 30 };
        for (int i = 0; i < 150; i++) _queue.Offer(Of(WebhookEventType.ClientConnected, "c", 10), wide, null);
        Assert.Equal(100, _queue.Take(wide).Count);
        Assert.Equal(50, _queue.Take(wide).Count);
        for (int i = 0; i < 3; i++) _queue.Offer(Of(WebhookEventType.ClientConnected, "c", 600_000), wide, null);
        Assert.Single(_queue.Take(wide));
    }

    [Fact]
    public void Sequence_numbers_miss_exactly_what_was_dropped()
    {
        var random = new Random(7);
        WebhookEventType[] types = [.. Enum.GetValues<WebhookEventType>()];
        var seen = new List<long>();
        for (int i = 0; i < 5_000; i++)
        {
            _queue.Offer(Of(types[random.Next(types.Length)], "x", random.Next(1, 500)), Options, random.Next(50) == 0 ? WebhookDropCause.Memory : null);
            _time.Advance(TimeSpan.FromMilliseconds(random.Next(20)));
            if (random.Next(3) > 0) continue;
            List<QueuedEvent> taken = _queue.Take(Options with { BatchEvents = random.Next(1, 4) });
            seen.AddRange(taken.Select(one => one.Sequence));
            _queue.Settle(taken, null);
        }

        List<QueuedEvent> rest = _queue.Take(Options);
        seen.AddRange(rest.Select(one => one.Sequence));
        _queue.Settle(rest, null);
        Assert.Equal(seen.Order(), seen);
        Assert.Equal(5_000 - seen.Count, _queue.TotalDropped);
        Assert.True(_queue.Dropped(WebhookDropCause.Full) > 0 && _queue.Dropped(WebhookDropCause.Memory) > 0);
        Assert.Equal((0L, 0L, 0), (_bytes, _queue.Bytes, _queue.Count));
    }

    [Fact]
    public async Task Whoever_waits_for_a_number_of_events_hears_of_it()
    {
        Task two = _queue.WhenAsync(2);
        Offer(WebhookEventType.ClientConnected, "a");
        Assert.False(two.IsCompleted);
        Offer(WebhookEventType.ClientConnected, "b");
        await Testing.Deadline.Within(two, "two events");
        Assert.True(_queue.WhenAsync(2).IsCompleted);
    }

    private static Occurrence<string> Of(WebhookEventType type, string subject, int size) => new(type, subject, size, subject, (_, _, _) => { });

    private void Offer(WebhookEventType type, string subject, int size = 10) => _queue.Offer(Of(type, subject, size), Options, null);

    private List<string> Take()
    {
        List<QueuedEvent> taken = _queue.Take(Options);
        _queue.Settle(taken, null);
        return [.. taken.Select(one => one.What.Subject)];
    }
}
