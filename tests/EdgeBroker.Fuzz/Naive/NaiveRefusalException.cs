namespace EdgeBroker.Fuzz.Naive;

/// <summary>The oracle found that a packet breaks a rule.</summary>
public sealed class NaiveRefusalException(string rule) : Exception(rule);
