namespace EdgeBroker.Options;

/// <summary>The command line is wrong; the message says what to write instead.</summary>
/// <param name="message">A sentence without its full stop.</param>
internal sealed class UsageException(string message) : Exception(message);
