using EdgeBroker.Webhooks.Events;

namespace EdgeBroker.Webhooks.Delivery;

/// <summary>
/// What waits to be sent to one endpoint, bounded in number and bytes. Where it is full the oldest of what matters least goes: messages first, then
/// subscriptions, refusals, and clients last. Events are queued on the threads that serve clients, and taken by the endpoint's own task.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="account">Is told of bytes that are taken or, below zero, given back.</param>
internal sealed class EventQueue(TimeProvider time, Action<long> account)
{
    // HTTP is no message path; a bridge is.
    private const int MostMessagesPerSecond = 1_000;

    private readonly Lock _lock = new();

    // By rank. The oldest of all is the one with the lowest sequence number.
    private readonly Queue<QueuedEvent>[] _ranks = [.. Enum.GetValues<DropRank>().Select(_ => new Queue<QueuedEvent>())];
    private readonly long[] _dropped = new long[Enum.GetValues<WebhookDropCause>().Length];
    private int _count;
    private long _bytes;
    private long _sequence;
    private long _secondBegan;
    private int _messagesInSecond;
    private TaskCompletionSource? _waiting;
    private int _waitingFor;

    /// <summary>Events that wait.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Their bytes.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>All that were dropped.</summary>
    public long TotalDropped
    {
        get
        {
            lock (_lock.Alone()) return _dropped.Sum();
        }
    }

    /// <summary>Events that were dropped for one cause.</summary>
    public long Dropped(WebhookDropCause cause) => Volatile.Read(ref _dropped[(int)cause]);

    /// <summary>Queues an event, or drops it or another one.</summary>
    /// <param name="what">The event.</param>
    /// <param name="options">How much may wait.</param>
    /// <param name="refused">Why it is to be dropped in any case; null: it is not.</param>
    public void Offer(Occurrence what, WebhookOptions options, WebhookDropCause? refused)
    {
        long freed = 0;
        TaskCompletionSource? ready = null;
        lock (_lock.Alone())
        {
            long sequence = ++_sequence;
            DropRank rank = WebhookEventTypes.RankOf(what.Type);
            refused ??= rank == DropRank.Message && IsTooFast() ? WebhookDropCause.Rate : null;
            refused ??= MakeRoom(what.SizeBytes, rank, options, ref freed) ? null : WebhookDropCause.Full;
            if (refused is { } cause)
            {
                _dropped[(int)cause]++;
            }
            else
            {
                _ranks[(int)rank].Enqueue(new QueuedEvent(what, sequence, time.GetTimestamp()));
                _count++;
                _bytes += what.SizeBytes;
                freed -= what.SizeBytes;
                if (_waiting is not null && _count >= _waitingFor) ready = TakeWaiting();
            }
        }

        if (freed != 0) account(-freed);
        ready?.TrySetResult();
    }

    /// <summary>When so many wait. One caller at a time.</summary>
    public Task WhenAsync(int count)
    {
        lock (_lock.Alone())
        {
            if (_count >= count) return Task.CompletedTask;
            _waitingFor = count;
            // The thread that queues an event serves clients, and must not send it.
            return (_waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>Takes the oldest, as many as go in one request, and drops those that are too old. They stay accounted until <see cref="Settle"/>.</summary>
    public List<QueuedEvent> Take(WebhookOptions options)
    {
        var taken = new List<QueuedEvent>();
        long bytes = 0;
        long freed = 0;
        lock (_lock.Alone())
        {
            while (taken.Count < options.BatchEvents && Oldest() is { } queue)
            {
                QueuedEvent oldest = queue.Peek();
                int size = oldest.What.SizeBytes;
                if (time.GetElapsedTime(oldest.SinceTimestamp) > options.MaxAge)
                {
                    _dropped[(int)WebhookDropCause.Age]++;
                    freed += size;
                }
                else if (taken.Count > 0 && bytes + size > WebhookOptions.MostBatchBytes)
                {
                    break;
                }
                else
                {
                    taken.Add(oldest);
                    bytes += size;
                }

                queue.Dequeue();
                _count--;
                _bytes -= size;
            }
        }

        if (freed > 0) account(-freed);
        return taken;
    }

    /// <summary>How long the oldest has waited; null: none waits.</summary>
    public TimeSpan? OldestAge()
    {
        lock (_lock.Alone()) return Oldest() is { } queue ? time.GetElapsedTime(queue.Peek().SinceTimestamp) : null;
    }

    /// <summary>Events that were taken are done with.</summary>
    /// <param name="taken">The events.</param>
    /// <param name="cause">Why they were dropped; null: they arrived.</param>
    public void Settle(IEnumerable<QueuedEvent> taken, WebhookDropCause? cause)
    {
        int count = 0;
        long bytes = 0;
        foreach (QueuedEvent one in taken)
        {
            count++;
            bytes += one.What.SizeBytes;
        }

        lock (_lock.Alone())
        {
            if (cause is { } why) _dropped[(int)why] += count;
        }

        account(-bytes);
    }

    /// <summary>Drops everything.</summary>
    public int Clear(WebhookDropCause cause)
    {
        long freed;
        int count;
        lock (_lock.Alone())
        {
            (count, freed) = (_count, _bytes);
            foreach (Queue<QueuedEvent> queue in _ranks) queue.Clear();
            _dropped[(int)cause] += count;
            (_count, _bytes) = (0, 0);
        }

        account(-freed);
        return count;
    }

    private bool IsTooFast()
    {
        long now = time.GetTimestamp();
        if (time.GetElapsedTime(_secondBegan, now) >= TimeSpan.FromSeconds(1)) (_secondBegan, _messagesInSecond) = (now, 0);
        return ++_messagesInSecond > MostMessagesPerSecond;
    }

    private bool MakeRoom(int sizeBytes, DropRank rank, WebhookOptions options, ref long freed)
    {
        if (sizeBytes > options.QueueBytes) return false;
        for (DropRank least = DropRank.Message; _count + 1 > options.QueueEvents || _bytes + sizeBytes > options.QueueBytes;)
        {
            // What matters more than the new one stays.
            if (least > rank) return false;
            if (!_ranks[(int)least].TryDequeue(out QueuedEvent dropped))
            {
                least++;
                continue;
            }

            _count--;
            _bytes -= dropped.What.SizeBytes;
            freed += dropped.What.SizeBytes;
            _dropped[(int)WebhookDropCause.Full]++;
        }

        return true;
    }

    private Queue<QueuedEvent>? Oldest()
    {
        Queue<QueuedEvent>? oldest = null;
        foreach (Queue<QueuedEvent> queue in _ranks)
        {
            if (queue.TryPeek(out QueuedEvent head) && (oldest is null || head.Sequence < oldest.Peek().Sequence)) oldest = queue;
        }

        return oldest;
    }

    private TaskCompletionSource? TakeWaiting()
    {
        TaskCompletionSource? waiting = _waiting;
        _waiting = null;
        return waiting;
    }
}
