using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Retained;

/// <summary>One level of the tree of retained messages.</summary>
internal sealed class RetainedNode(byte[] level, int hash, RetainedNode? parent) : LevelNode<RetainedNode>(level, hash, parent)
{
    /// <summary>The topic's last value.</summary>
    public Message? Message;

    public bool IsEmpty => Message is null && Children.Count == 0;
}
