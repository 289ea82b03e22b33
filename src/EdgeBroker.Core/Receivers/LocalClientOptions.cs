using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Security;

namespace EdgeBroker.Core.Receivers;

/// <summary>What the queue of a local client holds.</summary>
public enum LocalQueueContent
{
    /// <summary>Every message.</summary>
    EveryMessage,

    /// <summary>
    /// The latest message of each topic: a newer one takes the place of one not read yet, and no message is lost by it that was still worth reading.
    /// </summary>
    LatestOfEachTopic,
}

/// <summary>What a local client may do, and what its queue holds.</summary>
public sealed record LocalClientOptions
{
    /// <summary>What it may publish and subscribe to.</summary>
    public Permissions Permissions { get; init; } = Permissions.All;

    /// <summary>Who it acts for, where that is somebody who was let in, under the rights of whom it acts then; null: the broker itself.</summary>
    public AuthenticationResult? Identity { get; init; }

    /// <summary>Where whoever it acts for is, for limits of what anonymous ones leave; none: at no address.</summary>
    public ClientNetwork Network { get; init; }

    /// <summary>Whether it brings a publish again that the store cannot keep just now, rather than hear that it is refused.</summary>
    public bool WaitsForStore { get; init; } = true;

    /// <summary>Whether it publishes within the rates of <c>[limits]</c>, as an MQTT client does; beyond them it is refused, and does not wait.</summary>
    public bool ObeysRates { get; init; }

    /// <summary>What its queue holds.</summary>
    public LocalQueueContent Content { get; init; } = LocalQueueContent.EveryMessage;

    /// <summary>Messages that may wait to be read.</summary>
    public int MaxQueuedMessages { get; init; } = 1_000;

    /// <summary>Bytes of messages that may wait to be read.</summary>
    public long MaxQueuedBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>What happens to a message that finds the queue full.</summary>
    public QueueOverflow Overflow { get; init; } = QueueOverflow.DropOldest;
}
