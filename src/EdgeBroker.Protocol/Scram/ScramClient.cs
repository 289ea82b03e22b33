using System.Security.Cryptography;
using System.Text;

namespace EdgeBroker.Protocol.Scram;

/// <summary>A client's side of one SCRAM-SHA-256 exchange. Keeps the password no longer than it takes to answer.</summary>
public sealed class ScramClient
{
    // No channel binding, no other identity.
    private const string Header = "n,,";

    private readonly string _nonce;
    private readonly string _bare;
    private readonly byte[] _password;
    private byte[]? _expected;

    /// <param name="preparedUserName">What <see cref="SaslPrep.TryPrepare"/> made of the user name.</param>
    /// <param name="preparedPassword">What it made of the password.</param>
    /// <param name="nonce">This side's nonce, never used before: <see cref="ScramSha256.NewNonce"/>.</param>
    public ScramClient(string preparedUserName, string preparedPassword, string nonce)
    {
        _nonce = nonce;
        _bare = $"n={ScramName.Escape(preparedUserName)},r={nonce}";
        _password = Encoding.UTF8.GetBytes(preparedPassword);
    }

    /// <summary>The first message.</summary>
    public byte[] First => Encoding.UTF8.GetBytes(Header + _bare);

    /// <summary>Answers the server's first message. Takes the time of the iterations it asks for, some seconds at most.</summary>
    /// <param name="serverFirst">Whatever the server sent.</param>
    /// <param name="answer">The second message.</param>
    /// <param name="problem">What is wrong with the server's message, as the end of a sentence that begins with "the server".</param>
    public bool TryAnswer(ReadOnlySpan<byte> serverFirst, out byte[] answer, out string problem)
    {
        answer = [];
        problem = "asks for proof of the password a second time";
        if (_expected is not null || !TryRead(serverFirst, out string text, out string nonce, out byte[] salt, out int iterations, ref problem)) return false;
        byte[] salted = ScramSha256.SaltPassword(_password, salt, iterations);
        CryptographicOperations.ZeroMemory(_password);
        string withoutProof = $"c={Convert.ToBase64String(Encoding.UTF8.GetBytes(Header))},r={nonce}";
        string authMessage = $"{_bare},{text},{withoutProof}";
        byte[] clientKey = ScramSha256.ClientKey(salted);
        answer = Encoding.UTF8.GetBytes($"{withoutProof},p={Convert.ToBase64String(ScramSha256.Prove(clientKey, authMessage))}");
        _expected = ScramSha256.Sign(ScramSha256.ServerKey(salted), authMessage);
        CryptographicOperations.ZeroMemory(salted);
        CryptographicOperations.ZeroMemory(clientKey);
        return true;
    }

    /// <summary>Whether the server's last message shows that it knows the password too. Without it anybody may have let this client in.</summary>
    public bool IsConfirmedBy(ReadOnlySpan<byte> serverLast)
    {
        if (_expected is null || !ScramClientFirst.TryDecode(serverLast, out string text)) return false;
        var attributes = new ScramAttributes(text);
        if (!attributes.TryTake('v', out ReadOnlySpan<char> value) || !attributes.SkipExtensions()) return false;
        return ScramAttributes.Decode(value, ScramSha256.KeyBytes, ScramSha256.KeyBytes) is { } signature
            && CryptographicOperations.FixedTimeEquals(signature, _expected);
    }

    private bool TryRead(ReadOnlySpan<byte> message, out string text, out string nonce, out byte[] salt, out int iterations, ref string problem)
    {
        (nonce, salt, iterations) = ("", [], 0);
        problem = "sent something that is not SCRAM's";
        if (!ScramClientFirst.TryDecode(message, out text)) return false;
        var attributes = new ScramAttributes(text);
        if (attributes.IsMandatoryExtension)
        {
            problem = "asks for an extension of SCRAM that this client does not know";
            return false;
        }

        if (!attributes.TryTake('r', out ReadOnlySpan<char> both) || !ScramAttributes.IsNonce(both, ScramSha256.MaxNonceLength + _nonce.Length)) return false;
        if (!attributes.TryTake('s', out ReadOnlySpan<char> base64) || ScramAttributes.Decode(base64, 1, ScramSha256.MaxMessageBytes) is not { } decoded)
        {
            return false;
        }

        if (!attributes.TryTake('i', out ReadOnlySpan<char> number) || !attributes.SkipExtensions()) return false;
        problem = "does not answer this client's question";
        if (!both.StartsWith(_nonce, StringComparison.Ordinal) || both.Length == _nonce.Length) return false;
        // Fewer would let whoever plays the server try passwords faster.
        problem = $"asks for a number of iterations that is not from {ScramSha256.MinIterations} to {ScramSha256.MaxIterations}";
        if (!ScramAttributes.TryReadNumber(number, out iterations) || iterations is < ScramSha256.MinIterations or > ScramSha256.MaxIterations) return false;
        (nonce, salt) = (both.ToString(), decoded);
        return true;
    }
}
