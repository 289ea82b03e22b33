namespace EdgeBroker.Core.Limits;

/// <summary>The limits that connections have to look at with each packet; null while nothing limits them, which is all that costs then. Immutable.</summary>
/// <param name="Options">The limits; a client's account begins anew when they are others.</param>
/// <param name="Memory">What memory calls for.</param>
public sealed record ActiveLimits(LimitOptions Options, MemoryStage Memory)
{
    /// <summary>What is in force; null: nothing that concerns packets.</summary>
    internal static ActiveLimits? Of(LimitOptions options, MemoryStage memory)
    {
        bool hasRates = options.PublishesPerClient is not null || options.BytesPerClient is not null || options.SubscribesPerClient is not null;
        return hasRates || memory >= MemoryStage.Pausing ? new ActiveLimits(options, memory) : null;
    }
}
