using System.Diagnostics.CodeAnalysis;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;

namespace EdgeBroker.Storage.Journal;

/// <summary>Where facts come in: any thread appends without a lock, the journal's thread takes them, and sleeps until enough have come.</summary>
internal sealed class FactIntake : IDisposable
{
    private const int Nobody = int.MaxValue;

    // Retained values at QoS 0 come as fast as their client sends, since it waits for nothing. More of them do not make the disk faster, and the collector goes
    // through each while everybody waits. As many as begin a commit by their number have to fit.
    private const int FewestPendingValues = 4 * 1024;
    private const long MostPendingValueBytes = 8L * 1024 * 1024;

    // Messages that wait for their commit may take this much memory; then the disk is too slow for the traffic. And so much of the store's room: what has been
    // taken has to fit in.
    private readonly long _mostPendingBytes;
    private readonly int _mostPendingValues;

    private readonly FactQueue _queue = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly Action _set;
    private ILoopRequests? _loops;
    private long _appended;
    private long _taken;
    private long _wakeAt = long.MaxValue;
    private volatile int _wakingUrgency = Nobody;
    private long _pendingBytes;
    private int _pendingValues;
    private long _pendingValueBytes;

    /// <param name="maxBytes">Bytes the store may have.</param>
    /// <param name="reserveBytes">Bytes that are kept free on its disk: half of them for what has been taken, which the WAL has as well.</param>
    /// <param name="mostFacts">Facts that may wait before they are committed (<see cref="CommitPolicy.MostFacts"/>).</param>
    public FactIntake(long maxBytes, long reserveBytes, int mostFacts)
    {
        _mostPendingValues = Math.Max(FewestPendingValues, mostFacts);
        long mostForStore = Math.Min(64L * 1024 * 1024, Math.Max(4L * 1024 * 1024, maxBytes / 16));
        _mostPendingBytes = Math.Min(mostForStore, reserveBytes / 2);
        _set = () => _wake.Set();
    }

    /// <summary>Waking waits there until the thread that appends holds no lock.</summary>
    public void UseLoops(ILoopRequests loops) => _loops = loops;

    /// <summary>Facts appended so far.</summary>
    public long Appended => Volatile.Read(ref _appended);

    /// <summary>Whether the messages of facts that are not committed take more memory than they may.</summary>
    public bool IsFull => Volatile.Read(ref _pendingBytes) > _mostPendingBytes;

    /// <summary>Whether retained values come faster than they are committed.</summary>
    public bool IsFullOfValues => IsFull || Volatile.Read(ref _pendingValues) > _mostPendingValues
        || Volatile.Read(ref _pendingValueBytes) > MostPendingValueBytes;

    /// <summary>Appends a fact; lock-free, and under the lock of whatever the fact is about, so that waking the journal is left for later.</summary>
    public void Append(JournalFact fact)
    {
        Count(fact, 1);
        _queue.Append(fact);
        if (Interlocked.Increment(ref _appended) >= Volatile.Read(ref _wakeAt) || (int)fact.Urgency >= _wakingUrgency) WakeLater();
    }

    /// <summary>Takes the next fact; false when there is none.</summary>
    public bool TryTake([NotNullWhen(true)] out JournalFact? fact)
    {
        fact = _queue.TryTake();
        if (fact is null) return false;
        _taken++;
        return true;
    }

    /// <summary>A fact is committed, or will never be written: its message does not count any more.</summary>
    public void Release(JournalFact fact) => Count(fact, -1);

    /// <summary>Sleeps until facts have come, one that is urgent enough among them, a time is over, or <see cref="Wake"/>.</summary>
    /// <param name="longest">How long at most.</param>
    /// <param name="facts">How many facts that were not taken end it.</param>
    /// <param name="woken">One of this urgency ends it as well; null: none does.</param>
    public void Wait(TimeSpan longest, int facts, FactUrgency? woken)
    {
        Volatile.Write(ref _wakeAt, _taken + facts);
        _wakingUrgency = woken is { } urgency ? (int)urgency : Nobody;
        Interlocked.MemoryBarrier();
        // Facts appended before these lines woke nobody, and are taken first.
        if (Volatile.Read(ref _appended) == _taken) _wake.WaitOne(longest);
        StopWaking();
    }

    /// <summary>Sleeps until a time is over, whatever comes, or <see cref="Wake"/>.</summary>
    public void Pause(TimeSpan time) => _wake.WaitOne(time);

    /// <summary>Ends the sleep, the next one if none is going on.</summary>
    public void Wake()
    {
        StopWaking();
        _wake.Set();
    }

    /// <inheritdoc/>
    public void Dispose() => _wake.Dispose();

    private void Count(JournalFact fact, int sign)
    {
        if (fact is PublishRecord { Message: { } message })
        {
            Interlocked.Add(ref _pendingBytes, sign * (long)message.SizeBytes);
        }
        else if (fact is RetainedChanged value)
        {
            Interlocked.Add(ref _pendingValues, sign);
            Interlocked.Add(ref _pendingValueBytes, sign * (long)value.SizeBytes);
            Interlocked.Add(ref _pendingBytes, sign * (long)value.SizeBytes);
        }
    }

    private void WakeLater()
    {
        StopWaking();
        if (_loops is { } loops) loops.Defer(_set);
        else _set();
    }

    private void StopWaking()
    {
        Volatile.Write(ref _wakeAt, long.MaxValue);
        _wakingUrgency = Nobody;
    }
}
