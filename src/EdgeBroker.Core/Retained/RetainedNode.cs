using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Retained;

/// <summary>One level of the tree of retained messages.</summary>
internal sealed class RetainedNode(byte[] text, int start, int length, RetainedNode? parent) : LevelNode<RetainedNode>(text, start, length, parent)
{
    /// <summary>The topic's last value, or its tombstone.</summary>
    public Message? Message;

    /// <summary>The topic's value; null: none.</summary>
    public Message? Value => Message is { IsTombstone: false } value ? value : null;

    public bool IsEmpty => Message is null && Children.Count == 0;
}
