namespace EdgeBroker.Bench;

/// <summary>What is put on the broker, and how messages flow.</summary>
internal enum Scenario
{
    /// <summary>Many publishers, each on a topic of its own; subscribers take all of them by one wildcard.</summary>
    FanIn,

    /// <summary>Publishers on one topic, many subscribers to it.</summary>
    FanOut,

    /// <summary>Publishers, each with a subscriber of its own.</summary>
    Pairs,

    /// <summary>Random topics of a large tree, many filters with and without wildcards.</summary>
    Wild,

    /// <summary>Publishers, and one shared group of subscribers.</summary>
    Shared,

    /// <summary>Connections that come, stay idle, and go.</summary>
    Connect,

    /// <summary>Retained messages, sent to whoever subscribes.</summary>
    Retain,

    /// <summary>Messages that have to be stored; how many are acknowledged.</summary>
    Store,

    /// <summary>Pairs at a fixed rate; how long messages are on their way.</summary>
    Latency,
}
