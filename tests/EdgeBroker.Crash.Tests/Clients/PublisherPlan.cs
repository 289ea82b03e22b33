namespace EdgeBroker.Crash.Tests.Clients;

/// <summary>What a publisher publishes, and how fast.</summary>
/// <param name="Topics">Each topic has one QoS, as order is promised within one only.</param>
/// <param name="Window">How many messages may be unacknowledged.</param>
/// <param name="LargestBytes">Payloads are up to this long.</param>
/// <param name="LongestPause">Between bursts.</param>
public sealed record PublisherPlan(IReadOnlyList<PlannedTopic> Topics, int Window = 20, int LargestBytes = 4000, TimeSpan? LongestPause = null);
