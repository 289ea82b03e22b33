namespace EdgeBroker.Crash.Tests.History;

/// <summary>What a profile that says so may forget in a power cut.</summary>
/// <param name="CutNanoseconds">When the power went, on the monotonic clock.</param>
/// <param name="Window">What was acknowledged this long before may be forgotten.</param>
public sealed record AllowedLoss(long CutNanoseconds, TimeSpan Window);
