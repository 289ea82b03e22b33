using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Protocol.Scram;

namespace EdgeBroker.Security.Passwords;

/// <summary>
/// SCRAM-SHA-256 credentials, written as PostgreSQL writes them: <c>SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey</c>, base64. Passwords in clear are
/// verified against them too.
/// </summary>
internal sealed class ScramHash : PasswordHash
{
    public const string Prefix = ScramSha256.Name + "$";

    private const int NewSaltBytes = 16;

    private ScramHash(string text, ScramCredentials credentials)
        : base(text) => Credentials = credentials;

    public ScramCredentials Credentials { get; }

    public static ScramHash Make(string password, int iterations)
    {
        if (!SaslPrep.TryPrepare(password, out string prepared)) throw new ArgumentException("SCRAM does not take this password", nameof(password));
        ScramCredentials made = ScramCredentials.Make(prepared, RandomNumberGenerator.GetBytes(NewSaltBytes), iterations);
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"{Prefix}{iterations}:{Convert.ToBase64String(made.Salt)}${Convert.ToBase64String(made.StoredKey)}:{Convert.ToBase64String(made.ServerKey)}");
        return new ScramHash(text, made);
    }

    public static ScramHash? Parse(string text, out string problem)
    {
        problem = "SCRAM credentials that are cut off or changed; expected SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey";
        string[] parts = text.Split('$');
        if (parts.Length != 3) return null;
        string[] hashed = parts[1].Split(':');
        string[] keys = parts[2].Split(':');
        if (hashed.Length != 2 || keys.Length != 2 || !TryReadNumber(hashed[0], out int iterations)) return null;
        if (Decode(hashed[1], ScramSha256.MinSaltBytes, ScramSha256.MaxSaltBytes) is not { } salt) return null;
        if (Decode(keys[0], ScramSha256.KeyBytes, ScramSha256.KeyBytes) is not { } storedKey
            || Decode(keys[1], ScramSha256.KeyBytes, ScramSha256.KeyBytes) is not { } serverKey)
        {
            return null;
        }

        problem = $"SCRAM credentials of {iterations} iterations; expected {ScramSha256.MinIterations} to {ScramSha256.MaxIterations}";
        if (iterations is < ScramSha256.MinIterations or > ScramSha256.MaxIterations) return null;
        return new ScramHash(text, new ScramCredentials(iterations, salt, storedKey, serverKey));
    }

    public override bool Verify(ReadOnlySpan<byte> password)
    {
        string prepared = "";
        bool isPlausible = password.Length <= MaxPasswordBytes && System.Text.Unicode.Utf8.IsValid(password)
            && SaslPrep.TryPrepare(Encoding.UTF8.GetString(password), out prepared);
        // The work is done for an impossible password too: how long the answer takes says nothing.
        return Credentials.Match(isPlausible ? prepared : "-") & isPlausible;
    }
}
