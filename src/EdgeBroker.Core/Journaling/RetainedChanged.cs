using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Journaling;

/// <summary>A topic has a new last value, or none any more. The highest ordinal of a topic counts.</summary>
/// <param name="topic">The topic.</param>
/// <param name="message">The value; null: none.</param>
/// <param name="ordinal">Its place in the order of all changes of retained messages; never used twice, not in a later life of the process either.</param>
/// <param name="superseded">The ordinal of the value it replaces; 0: none.</param>
public sealed class RetainedChanged(byte[] topic, Message? message, long ordinal, long superseded) : JournalFact
{
    /// <summary>The topic.</summary>
    public byte[] Topic { get; } = topic;

    /// <summary>The value, or null.</summary>
    public Message? Message { get; } = message;

    /// <summary>Its place in the order of all changes.</summary>
    public long Ordinal { get; } = ordinal;

    /// <summary>The ordinal of the value it replaces, or 0.</summary>
    public long Superseded { get; } = superseded;
}
