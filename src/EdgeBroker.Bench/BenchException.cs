namespace EdgeBroker.Bench;

/// <summary>A run that cannot be measured: nobody listens, the broker refuses, connections are lost.</summary>
/// <param name="message">A whole sentence.</param>
internal sealed class BenchException(string message) : Exception(message);
