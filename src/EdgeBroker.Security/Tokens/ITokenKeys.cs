namespace EdgeBroker.Security.Tokens;

/// <summary>Where the keys come from.</summary>
public interface ITokenKeys
{
    /// <summary>The keys in force; null: none have come yet.</summary>
    TokenKeySet? Current { get; }

    /// <summary>A token names a key that is not there: perhaps there are newer ones. Returns at once.</summary>
    void AskForNewer();
}

/// <summary>Keys that do not change while the broker runs.</summary>
/// <param name="keys">The keys.</param>
public sealed class FixedTokenKeys(TokenKeySet keys) : ITokenKeys
{
    /// <inheritdoc/>
    public TokenKeySet? Current => keys;

    /// <inheritdoc/>
    public void AskForNewer()
    {
    }
}
