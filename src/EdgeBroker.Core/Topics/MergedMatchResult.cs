namespace EdgeBroker.Core.Topics;

/// <summary>A match of several places of the tree, made for one topic alone.</summary>
internal sealed record MergedMatchResult(Subscription[] Plain, SharedGroup[] Groups) : MatchResult(Plain, Groups);
