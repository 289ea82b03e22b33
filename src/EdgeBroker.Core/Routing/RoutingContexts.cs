using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Routing;

/// <summary>All contexts of a broker, each of which one thread at a time uses: their counters are summed up for ever, so few are made.</summary>
/// <param name="subscriptions">What they match against.</param>
internal sealed class RoutingContexts(SubscriptionTree subscriptions)
{
    private readonly Lock _lock = new();

    // Replaced as a whole, so that readers take no lock.
    private volatile RoutingContext[] _all = [];

    // Those that threads without a context of their own do not use just now. There are as many as ever published at once.
    private readonly Stack<RoutingContext> _idle = new();

    /// <summary>Makes one for a thread, or for a connection outside the reactors.</summary>
    /// <param name="batch">Where messages may wait for those received with them; null: none waits.</param>
    /// <param name="isOfPeer">Whether what is published in it comes from another node.</param>
    public RoutingContext Create(MessageBatch? batch = null, bool isOfPeer = false)
    {
        var context = new RoutingContext(subscriptions, batch, isOfPeer);
        lock (_lock.Alone()) _all = [.. _all, context];
        return context;
    }

    /// <summary>One for a call of a thread that has none; <see cref="Return"/> takes it back.</summary>
    public RoutingContext Rent()
    {
        RoutingContext? context;
        lock (_lock.Alone()) _idle.TryPop(out context);
        return context ?? Create();
    }

    /// <summary>Takes back what <see cref="Rent"/> gave.</summary>
    public void Return(RoutingContext context)
    {
        lock (_lock.Alone()) _idle.Push(context);
    }

    /// <summary>Sums up one of their figures.</summary>
    public long Sum(Func<TrafficCounters, long> read)
    {
        long sum = 0;
        foreach (RoutingContext context in _all) sum += read(context.Counters);
        return sum;
    }

    /// <summary>Sums up what went through all of them.</summary>
    public TrafficCounters CountTraffic()
    {
        var sum = new TrafficCounters();
        foreach (RoutingContext context in _all) sum.Add(context.Counters);
        return sum;
    }
}
