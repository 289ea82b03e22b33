namespace EdgeBroker.PubSub;

/// <summary>The command line is wrong; the message says what to write instead.</summary>
/// <param name="message">A whole sentence.</param>
internal sealed class UsageException(string message) : Exception(message);
