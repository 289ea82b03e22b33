using System.Diagnostics.CodeAnalysis;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Receivers;

/// <summary>A message as a local client receives it.</summary>
/// <param name="Message">The message, shared by all who hold it.</param>
/// <param name="QoS">QoS of the delivery: the lower of the message's and the subscription's.</param>
/// <param name="Retain">RETAIN of the delivery: a retained message sent because of SUBSCRIBE, or one as published where the subscription asks for that.</param>
/// <param name="SubscriptionIdentifiers">Identifiers of the subscriptions that caused it; null: none.</param>
public readonly record struct LocalDelivery(Message Message, QoS QoS, bool Retain, uint[]? SubscriptionIdentifiers);

/// <summary>What waits for a local client to read it: bounded in messages and bytes. One thread at a time.</summary>
internal sealed class LocalQueue(LocalClientOptions options, MemoryLedger ledger)
{
    // An entry, and what stands for it in the queue and by its topic.
    private const int EntryBytes = 120;

    private readonly Queue<Entry> _entries = new();
    private readonly Dictionary<byte[], Entry>? _byTopic =
        options.Content == LocalQueueContent.LatestOfEachTopic ? new Dictionary<byte[], Entry>(TopicComparer.Instance) : null;

    private int _count;

    /// <summary>Messages that wait. Also read by others, as a hint.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Bytes of the messages that wait.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>Whether a message more fits. Also read by others, as a hint.</summary>
    public bool HasRoom => Count < options.MaxQueuedMessages;

    /// <summary>Adds a message, or does with it what the options say for a full queue.</summary>
    /// <param name="delivery">The message.</param>
    /// <param name="sharedFilter">The shared filter it came by, or null.</param>
    public DeliveryOutcome Enqueue(in LocalDelivery delivery, byte[]? sharedFilter)
    {
        int size = delivery.Message.SizeBytes;
        Entry? superseded = _byTopic?.GetValueOrDefault(delivery.Message.Topic);
        int dropped = 0;
        while (!Fits(size, superseded))
        {
            // One that fits no queue drives nothing out.
            if (options.Overflow != QueueOverflow.DropOldest || size > options.MaxQueuedBytes)
            {
                return new DeliveryOutcome(
                    options.Overflow == QueueOverflow.Reject ? DeliveryResult.Refused : DeliveryResult.Dropped, dropped + 1, DropReason.LocalQueueFull);
            }

            TryDequeue(out Entry? oldest);
            if (ReferenceEquals(oldest, superseded)) superseded = null;
            else dropped++;
        }

        if (superseded is null) Add(new Entry(delivery, sharedFilter));
        else Supersede(superseded, delivery, sharedFilter);
        return new DeliveryOutcome(DeliveryResult.Queued, dropped, DropReason.LocalQueueFull);
    }

    /// <summary>Takes the oldest.</summary>
    public bool TryDequeue([NotNullWhen(true)] out Entry? entry)
    {
        if (!_entries.TryDequeue(out entry)) return false;
        _count--;
        SizeBytes -= entry.Delivery.Message.SizeBytes;
        entry.Delivery.Message.Release(ledger);
        ledger.Release(MemoryKind.LocalQueues, EntryBytes);
        _byTopic?.Remove(entry.Delivery.Message.Topic);
        return true;
    }

    private bool Fits(int size, Entry? superseded) => superseded is null
        ? _count < options.MaxQueuedMessages && SizeBytes + size <= options.MaxQueuedBytes
        : SizeBytes - superseded.Delivery.Message.SizeBytes + size <= options.MaxQueuedBytes;

    private void Add(Entry entry)
    {
        _entries.Enqueue(entry);
        _count++;
        SizeBytes += entry.Delivery.Message.SizeBytes;
        entry.Delivery.Message.Hold(ledger, MemoryKind.LocalQueues);
        ledger.Account(MemoryKind.LocalQueues, EntryBytes);
        _byTopic?.Add(entry.Delivery.Message.Topic, entry);
    }

    /// <summary>Puts a message in the place of an older one of its topic, so that a topic that changes all the time does not wait for ever.</summary>
    private void Supersede(Entry entry, in LocalDelivery delivery, byte[]? sharedFilter)
    {
        SizeBytes += delivery.Message.SizeBytes - entry.Delivery.Message.SizeBytes;
        delivery.Message.Hold(ledger, MemoryKind.LocalQueues);
        entry.Delivery.Message.Release(ledger);
        entry.Delivery = delivery;
        entry.SharedFilter = sharedFilter;
    }

    /// <summary>A message that waits.</summary>
    internal sealed class Entry(in LocalDelivery delivery, byte[]? sharedFilter)
    {
        /// <summary>The message.</summary>
        public LocalDelivery Delivery { get; set; } = delivery;

        /// <summary>The shared subscription it came by, which gets it back if the client is closed first; null for an ordinary one.</summary>
        public byte[]? SharedFilter { get; set; } = sharedFilter;
    }
}
