using EdgeBroker.Core.Limits;

namespace EdgeBroker.Configuration;

/// <summary>One rate of <c>[limits]</c> as read.</summary>
internal sealed record RateDraft(ExceedAction OnExceed)
{
    public RateValue Rate { get; init; }

    /// <summary>Null: as many as the rate names.</summary>
    public long? Burst { get; init; }

    /// <summary>What comes of it; null: no limit.</summary>
    public RateLimit? Limit => Rate.Amount == 0 ? null : new RateLimit(Rate.Amount, Rate.Per, Burst ?? Rate.Amount) { OnExceed = OnExceed, Text = Rate.Text };
}
