using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Coap.Gateway;

/// <summary>
/// A session of the broker's that is one observation: it is stored, so it goes on while its observer is away and when the broker ends, with what waits in it if
/// every message is wanted. This is its connection: messages wait here until the observer may be told. Links are called under the session's lock, on any
/// thread; feeds by the server's.
/// </summary>
/// <param name="broker">The broker.</param>
/// <param name="context">The server's.</param>
/// <param name="executor">Where it is pumped.</param>
/// <param name="isQueue">Whether every message is wanted, or the latest of each topic.</param>
internal sealed class DurableFeed(Broker broker, RoutingContext context, ISerialExecutor executor, bool isQueue) : IMessageFeed, ISessionLink
{
    // Sent and not acknowledged, or about to be sent; the rest waits in the session, which drops the oldest where there are too many.
    private const int MaxInflight = 8;
    private const int MostLatest = 1_000;

    private readonly Queue<Entry> _waiting = new();
    private readonly Dictionary<string, Entry> _latest = new(StringComparer.Ordinal);
    private Session? _session;
    private ConnectionLease _lease;
    private TaskCompletionSource<bool>? _reader;
    private long _bytes;
    private int _count;
    private int _isPumping;
    private bool _wantsPump;
    private bool _isClosed;

    /// <summary>Is told, on the server's thread, that the session is lost; not when another connection of its own observation takes it. Null: nobody.</summary>
    public Action<ReasonCode>? Lost { get; set; }

    /// <summary>Is told, on the server's thread, that it was ended for good. Null: nobody.</summary>
    public Action? Forgotten { get; set; }

    /// <summary>The right to act for the session.</summary>
    public ConnectionLease Lease => _lease;

    /// <inheritdoc/>
    public int QueuedMessages => _session is { } session ? Volatile.Read(ref _count) + session.Backlog.Messages : 0;

    /// <inheritdoc/>
    public long QueuedBytes => Volatile.Read(ref _bytes) + (_session?.Backlog.Bytes ?? 0);

    /// <inheritdoc/>
    public long Dropped => _session?.Dropped ?? 0;

    /// <inheritdoc/>
    public bool IsDurable => true;

    /// <inheritdoc/>
    public bool HasRoom => !Volatile.Read(ref _isClosed) && (!isQueue || Volatile.Read(ref _count) < MaxInflight);

    /// <inheritdoc/>
    public bool IsClient => false;

    /// <inheritdoc/>
    public long HeldBytes => _bytes;

    /// <summary>Takes the session, or makes it; false: it is another user's.</summary>
    /// <param name="sessionId">Its id.</param>
    /// <param name="grant">What it is to be.</param>
    public bool TryOpen(string sessionId, SessionGrant grant)
    {
        if (broker.Connect(sessionId, cleanStart: false, grant with { ReceiveMaximum = MaxInflight }, context, this) is not { } lease) return false;
        _lease = lease;
        return true;
    }

    /// <inheritdoc/>
    public bool TryRead(out LocalDelivery delivery, out Action? taken)
    {
        Entry? next;
        bool wantsPump;
        lock (_session!.SyncRoot.Alone())
        {
            if (!_waiting.TryDequeue(out next))
            {
                (delivery, taken) = (default, null);
                return false;
            }

            _count--;
            _bytes -= next.Delivery.Message.SizeBytes;
            if (!isQueue) _latest.Remove(next.Topic);
            (wantsPump, _wantsPump) = (_wantsPump, false);
        }

        if (wantsPump) RequestPump();
        delivery = next.Delivery;
        ushort packetId = next.PacketId;
        taken = packetId == 0 ? null : () => _lease.Session.Puback(_lease, packetId, refused: false);
        return true;
    }

    /// <inheritdoc/>
    public ValueTask<bool> WaitToReadAsync()
    {
        lock (_session!.SyncRoot.Alone())
        {
            if (_isClosed) return ValueTask.FromResult(false);
            if (_waiting.Count > 0) return ValueTask.FromResult(true);
            _reader ??= new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask<bool>(_reader.Task);
        }
    }

    /// <inheritdoc/>
    public void Forget()
    {
        if (End(expirySeconds: 0)) Forgotten?.Invoke();
    }

    /// <inheritdoc/>
    public void Dispose() => End(expirySeconds: null);

    /// <inheritdoc/>
    public void Prepare(Session session) => _session = session;

    /// <inheritdoc/>
    public void SendConnack(bool sessionPresent)
    {
    }

    /// <inheritdoc/>
    public SendOutcome Send(in Delivery delivery, in Publication message, RoutingContext context)
    {
        // What says only which token the observer knows is no topic of anybody's.
        if (message.Topic.StartsWith(ReservedIds.ObservationToken)) return SendOutcome.Sent;
        var entry = new Entry(
            isQueue ? "" : Encoding.UTF8.GetString(message.Topic),
            new LocalDelivery(message.ToMessage(broker.Clock.NowMs), delivery.QoS, delivery.Retain, delivery.SubscriptionIdentifiers), delivery.PacketId);
        int size = entry.Delivery.Message.SizeBytes;
        Entry? older = isQueue ? null : _latest.GetValueOrDefault(entry.Topic);
        int most = isQueue ? TopicResource.QueuedMessages : MostLatest;
        bool isFull = (older is null && _count >= most) || _bytes + size - (older?.Delivery.Message.SizeBytes ?? 0) > TopicResource.QueuedBytes;
        // What is acknowledged is bounded by the session's window.
        if (isFull && delivery.QoS == QoS.AtMostOnce && _count > 0) return SendOutcome.NoRoom;
        if (older is not null)
        {
            // In its place: it keeps its turn.
            _bytes += size - older.Delivery.Message.SizeBytes;
            older.Delivery = entry.Delivery;
            return SendOutcome.Sent;
        }

        if (!isQueue) _latest.Add(entry.Topic, entry);
        _waiting.Enqueue(entry);
        _count++;
        _bytes += size;
        Signal(true);
        return SendOutcome.Sent;
    }

    /// <inheritdoc/>
    public void SendPubrel(ushort packetId)
    {
    }

    /// <inheritdoc/>
    public void RequestPumpWhenDrained() => _wantsPump = true;

    /// <inheritdoc/>
    public void RequestPump()
    {
        if (Interlocked.Exchange(ref _isPumping, 1) == 1) return;
        broker.Loops.Defer(() => ThreadPool.UnsafeQueueUserWorkItem(static one => one.RunPump(), this, preferLocal: false));
    }

    /// <inheritdoc/>
    public void Close(ReasonCode reason) => ThreadPool.UnsafeQueueUserWorkItem(
        static one => one.Feed.RunClosed(one.Reason), (Feed: this, Reason: reason), preferLocal: false);

    private void RunPump() => executor.Run(() =>
    {
        Volatile.Write(ref _isPumping, 0);
        if (_isClosed) return;
        broker.Loops.Begin();
        try
        {
            broker.Pump(_lease, context);
        }
        finally
        {
            broker.Loops.End();
        }
    });

    private void RunClosed(ReasonCode reason) => executor.Run(() =>
    {
        if (End(expirySeconds: null)) Lost?.Invoke(reason);
    });

    /// <summary>Gives the session back, if it has not lost it; false: it did so already.</summary>
    /// <param name="expirySeconds">How long it is kept; null: as long as it was made for.</param>
    private bool End(uint? expirySeconds)
    {
        if (_session is not { } session) return false;
        lock (session.SyncRoot.Alone())
        {
            if (_isClosed) return false;
            Volatile.Write(ref _isClosed, true);
            _waiting.Clear();
            _latest.Clear();
            (_count, _bytes) = (0, 0);
            Signal(false);
        }

        broker.Loops.Begin();
        try
        {
            broker.Disconnect(_lease, discardWill: true, newExpirySeconds: expirySeconds, context);
        }
        finally
        {
            broker.Loops.End();
        }

        return true;
    }

    // Under the lock.
    private void Signal(bool hasMore)
    {
        if (_reader is not { } reader) return;
        _reader = null;
        broker.Loops.Defer(() => reader.TrySetResult(hasMore));
    }

    private sealed class Entry(string topic, LocalDelivery delivery, ushort packetId)
    {
        public string Topic => topic;

        public LocalDelivery Delivery { get; set; } = delivery;

        public ushort PacketId => packetId;
    }
}
