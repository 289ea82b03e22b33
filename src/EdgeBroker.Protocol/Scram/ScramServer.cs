using System.Globalization;
using System.Text;

namespace EdgeBroker.Protocol.Scram;

/// <summary>A server's side of one SCRAM-SHA-256 exchange, after the client's first message. Some digests of work: short enough for any thread.</summary>
public sealed class ScramServer
{
    private readonly ScramClientFirst _first;
    private readonly ScramCredentials _credentials;
    private readonly string _nonce;
    private readonly string _serverFirst;

    /// <param name="first">The client's first message.</param>
    /// <param name="credentials">What is kept of the user's password.</param>
    /// <param name="nonce">This side's nonce, never used before: <see cref="ScramSha256.NewNonce"/>.</param>
    public ScramServer(ScramClientFirst first, ScramCredentials credentials, string nonce)
    {
        _first = first;
        _credentials = credentials;
        _nonce = first.Nonce + nonce;
        _serverFirst = string.Create(CultureInfo.InvariantCulture, $"r={_nonce},s={Convert.ToBase64String(credentials.Salt)},i={credentials.Iterations}");
    }

    /// <summary>The answer to the first message.</summary>
    public byte[] First => Encoding.UTF8.GetBytes(_serverFirst);

    /// <summary>Checks the client's second message; never throws.</summary>
    /// <param name="message">Whatever the client sent.</param>
    /// <param name="last">The signature by which the client knows this server, when the outcome is <see cref="ScramOutcome.Right"/>.</param>
    public ScramOutcome Finish(ReadOnlySpan<byte> message, out byte[] last)
    {
        last = [];
        if (!ScramClientFirst.TryDecode(message, out string text)) return ScramOutcome.Malformed;
        // Whatever else may come to stand in the message, the proof is its end.
        int end = text.LastIndexOf(",p=", StringComparison.Ordinal);
        if (end < 0 || ScramAttributes.Decode(text.AsSpan(end + 3), ScramSha256.KeyBytes, ScramSha256.KeyBytes) is not { } proof) return ScramOutcome.Malformed;
        ReadOnlySpan<char> withoutProof = text.AsSpan(0, end);
        var attributes = new ScramAttributes(withoutProof);
        if (attributes.IsMandatoryExtension) return ScramOutcome.UnknownExtension;
        if (!attributes.TryTake('c', out ReadOnlySpan<char> binding) || ScramAttributes.Decode(binding, 1, ScramSha256.MaxMessageBytes) is not { } header)
        {
            return ScramOutcome.Malformed;
        }

        if (!attributes.TryTake('r', out ReadOnlySpan<char> nonce) || !ScramAttributes.IsNonce(nonce, 2 * ScramSha256.MaxNonceLength))
        {
            return ScramOutcome.Malformed;
        }

        if (!attributes.SkipExtensions()) return ScramOutcome.Malformed;
        if (!nonce.SequenceEqual(_nonce) || !header.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(_first.Header))) return ScramOutcome.OtherExchange;
        string authMessage = $"{_first.Bare},{_serverFirst},{withoutProof}";
        if (!ScramSha256.IsProof(_credentials.StoredKey, authMessage, proof)) return ScramOutcome.WrongProof;
        last = Encoding.UTF8.GetBytes("v=" + Convert.ToBase64String(ScramSha256.Sign(_credentials.ServerKey, authMessage)));
        return ScramOutcome.Right;
    }
}
