namespace EdgeBroker.Crash.Tests.Runs;

/// <summary>The broker did not start, or ended by itself.</summary>
public sealed class BrokerFailedException(string message) : Exception(message);
