namespace EdgeBroker.Client;

/// <summary>A re-authentication that goes on; guarded by the session's lock.</summary>
/// <param name="exchange">What is said.</param>
/// <param name="completion">Who waits for its end.</param>
internal sealed class Renewal(IAuthenticationExchange exchange, TaskCompletionSource completion)
{
    public IAuthenticationExchange Exchange => exchange;

    public TaskCompletionSource Completion => completion;

    /// <summary>The server has asked, and the answer is not ready yet.</summary>
    public bool IsAnswering { get; set; }
}
