namespace EdgeBroker.Core.Security;

/// <summary>What a rule is about. A retained publish is two actions: to publish, and to retain.</summary>
[Flags]
public enum AccessActions : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>To publish to a topic, wills included.</summary>
    Publish = 1,

    /// <summary>To subscribe to a filter, and so to receive what is published under it.</summary>
    Subscribe = 2,

    /// <summary>To publish with RETAIN set; comes on top of <see cref="Publish"/>.</summary>
    Retain = 4,
}
