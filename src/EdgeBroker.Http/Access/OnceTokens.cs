using System.Security.Cryptography;

namespace EdgeBroker.Http.Access;

/// <summary>
/// Tokens that let one browser in once, while nobody can log in otherwise: printed at the start, and on request at the machine itself. Known only while they
/// are good.
/// </summary>
/// <param name="time">The clock.</param>
public sealed class OnceTokens(TimeProvider time)
{
    /// <summary>How long one is good.</summary>
    public static readonly TimeSpan Validity = TimeSpan.FromMinutes(15);

    // No letter or digit that is mistaken for another when read aloud.
    private const string Alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    private const int Length = 16;
    private const int MostAtOnce = 8;

    private readonly Lock _lock = new();
    private readonly List<(string Token, long MadeAt)> _tokens = [];

    /// <summary>Makes one: 80 random bits, in groups of four.</summary>
    public string Issue()
    {
        string token = RandomNumberGenerator.GetString(Alphabet, Length);
        lock (_lock)
        {
            if (_tokens.Count == MostAtOnce) _tokens.RemoveAt(0);
            _tokens.Add((token, time.GetTimestamp()));
        }

        return string.Join('-', Enumerable.Range(0, Length / 4).Select(i => token.Substring(i * 4, 4)));
    }

    /// <summary>Uses one up; false: there is no such token, or not any more.</summary>
    public bool Take(string token)
    {
        string plain = token.Replace("-", "", StringComparison.Ordinal).ToUpperInvariant();
        lock (_lock)
        {
            _tokens.RemoveAll(one => time.GetElapsedTime(one.MadeAt) > Validity);
            return _tokens.RemoveAll(one => CryptographicOperations.FixedTimeEquals(
                System.Text.Encoding.UTF8.GetBytes(one.Token), System.Text.Encoding.UTF8.GetBytes(plain))) > 0;
        }
    }
}
