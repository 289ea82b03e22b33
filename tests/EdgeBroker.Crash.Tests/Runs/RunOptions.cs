namespace EdgeBroker.Crash.Tests.Runs;

/// <summary>What a run is.</summary>
/// <param name="Profile">How durable the broker is configured.</param>
/// <param name="Count">How many kills, or cuts.</param>
/// <param name="Seed">Decides the schedule and what the clients do.</param>
/// <param name="Report">Gets a line now and then.</param>
public sealed record RunOptions(StorageProfile Profile, int Count, int Seed, Action<string> Report);
