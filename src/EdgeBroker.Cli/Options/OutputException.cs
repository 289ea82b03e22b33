namespace EdgeBroker.Cli.Options;

/// <summary>What a verb prints cannot be written.</summary>
/// <param name="message">Why.</param>
/// <param name="isReaderGone">Whether the program that read it has ended, as <c>head</c> does.</param>
public sealed class OutputException(string message, bool isReaderGone) : IOException(message)
{
    /// <summary>Whether the program that read it has ended: nothing is wrong then, and nobody wants more.</summary>
    public bool IsReaderGone => isReaderGone;
}
