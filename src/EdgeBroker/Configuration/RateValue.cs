namespace EdgeBroker.Configuration;

/// <summary>A rate as written.</summary>
/// <param name="Amount">How many; 0: no limit.</param>
/// <param name="Per">In which time.</param>
/// <param name="Text">As written.</param>
internal readonly record struct RateValue(long Amount, TimeSpan Per, string Text);
