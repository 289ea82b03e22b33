using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Retained;

/// <summary>One level of the tree of retained messages.</summary>
internal sealed class RetainedNode(byte[] text, int start, int length, RetainedNode? parent) : LevelNode<RetainedNode>(text, start, length, parent)
{
    /// <summary>The topic's last value.</summary>
    public Message? Message;

    public bool IsEmpty => Message is null && Children.Count == 0;
}
