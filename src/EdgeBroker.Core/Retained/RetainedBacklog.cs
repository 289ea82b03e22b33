using System.Diagnostics.CodeAnalysis;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Retained;

/// <summary>
/// The filters a session is owed retained messages for, in the order in which they were subscribed. Each is there once; all that is done takes constant time,
/// however many there are.
/// </summary>
internal sealed class RetainedBacklog
{
    private readonly LinkedList<RetainedDelivery> _inOrder = new();
    private readonly Dictionary<byte[], LinkedListNode<RetainedDelivery>> _byFilter = new(TopicComparer.Instance);

    /// <summary>Filters.</summary>
    public int Count => _inOrder.Count;

    /// <summary>Adds a filter behind all others; what was owed for it before is forgotten.</summary>
    public void Add(RetainedDelivery delivery)
    {
        Remove(delivery.Subscription.Filter);
        _byFilter.Add(delivery.Subscription.Filter, _inOrder.AddLast(delivery));
    }

    /// <summary>Puts one back that was taken and is not done.</summary>
    public void PutBack(RetainedDelivery delivery) => _byFilter.Add(delivery.Subscription.Filter, _inOrder.AddFirst(delivery));

    /// <summary>Owes nothing more for a filter.</summary>
    public void Remove(byte[] filter)
    {
        if (!_byFilter.Remove(filter, out LinkedListNode<RetainedDelivery>? node)) return;
        node.Value.Walk.GiveUp();
        _inOrder.Remove(node);
    }

    /// <summary>Owes nothing more.</summary>
    public void GiveUp()
    {
        foreach (RetainedDelivery delivery in _inOrder) delivery.Walk.GiveUp();
    }

    /// <summary>Takes the first.</summary>
    public bool TryTake([NotNullWhen(true)] out RetainedDelivery? delivery)
    {
        delivery = _inOrder.First?.Value;
        if (delivery is null) return false;
        _byFilter.Remove(delivery.Subscription.Filter);
        _inOrder.RemoveFirst();
        return true;
    }
}
