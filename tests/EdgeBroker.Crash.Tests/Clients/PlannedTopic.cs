namespace EdgeBroker.Crash.Tests.Clients;

/// <summary>A topic of one publisher's.</summary>
/// <param name="Name">The topic.</param>
/// <param name="QoS">How it publishes there.</param>
/// <param name="Retain">Whether what it publishes is the topic's value.</param>
public sealed record PlannedTopic(string Name, int QoS, bool Retain = false);
