namespace EdgeBroker.Cli.Options;

/// <summary>The command line is wrong; the message says what to write instead.</summary>
/// <param name="message">A sentence without its full stop.</param>
public sealed class UsageException(string message) : Exception(message);
