namespace EdgeBroker.Transport.Linux;

/// <summary>An address cannot be listened on. The message names the address, the cause, and what to do.</summary>
public sealed class ListenException : IOException
{
    /// <param name="message">The address, the cause, and what to do.</param>
    /// <param name="isAddressMissing">Whether the machine does not have the address yet, and may have it later.</param>
    /// <param name="inner">Where it was noticed.</param>
    public ListenException(string message, bool isAddressMissing = false, Exception? inner = null)
        : base(message, inner) => IsAddressMissing = isAddressMissing;

    /// <summary>Whether the machine does not have the address yet, and may have it later: a network that comes up, a name that becomes known.</summary>
    public bool IsAddressMissing { get; }
}
