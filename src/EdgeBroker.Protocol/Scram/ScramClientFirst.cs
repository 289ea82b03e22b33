using System.Text;

namespace EdgeBroker.Protocol.Scram;

/// <summary>The first message of a client: <c>n,,n=user,r=nonce</c>.</summary>
/// <param name="UserName">The user, unescaped and prepared.</param>
/// <param name="Nonce">The client's nonce.</param>
/// <param name="Header">Channel binding flag and authorization identity as written, up to and with the second comma.</param>
/// <param name="Bare">The message behind the header.</param>
public sealed record ScramClientFirst(string UserName, string Nonce, string Header, string Bare)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a message; never throws.</summary>
    /// <param name="message">Whatever the client sent.</param>
    /// <param name="first">The message, when the outcome is <see cref="ScramOutcome.Right"/>.</param>
    public static ScramOutcome TryParse(ReadOnlySpan<byte> message, out ScramClientFirst first)
    {
        first = null!;
        if (!TryDecode(message, out string text)) return ScramOutcome.Malformed;
        if (text.StartsWith("p=", StringComparison.Ordinal)) return ScramOutcome.ChannelBinding;
        // "y": the client could bind the channel and believes that the server cannot, which is so.
        if (text.Length < 2 || text[0] is not ('n' or 'y') || text[1] != ',') return ScramOutcome.Malformed;
        int second = text.IndexOf(',', 2);
        if (second < 0) return ScramOutcome.Malformed;
        string? identity = null;
        if (second > 2)
        {
            if (!text.AsSpan(2).StartsWith("a=") || ScramName.Unescape(text.AsSpan(4, second - 4)) is not { Length: > 0 } name) return ScramOutcome.Malformed;
            identity = name;
        }

        return TryParseBare(text[..(second + 1)], text[(second + 1)..], identity, out first);
    }

    /// <summary>Bytes as text; false when they are too many, not UTF-8, or hold a zero.</summary>
    internal static bool TryDecode(ReadOnlySpan<byte> message, out string text)
    {
        text = "";
        if (message.Length > ScramSha256.MaxMessageBytes || message.Contains((byte)0) || !System.Text.Unicode.Utf8.IsValid(message)) return false;
        text = Strict.GetString(message);
        return true;
    }

    private static ScramOutcome TryParseBare(string header, string bare, string? identity, out ScramClientFirst first)
    {
        first = null!;
        var attributes = new ScramAttributes(bare);
        if (attributes.IsMandatoryExtension) return ScramOutcome.UnknownExtension;
        if (!attributes.TryTake('n', out ReadOnlySpan<char> written) || ScramName.Unescape(written) is not { } name) return ScramOutcome.Malformed;
        if (!attributes.TryTake('r', out ReadOnlySpan<char> nonce) || !ScramAttributes.IsNonce(nonce, ScramSha256.MaxNonceLength))
        {
            return ScramOutcome.Malformed;
        }

        if (!attributes.SkipExtensions()) return ScramOutcome.Malformed;
        if (!SaslPrep.TryPrepare(name, out string userName)) return ScramOutcome.UserNameNotTaken;
        if (identity is not null && (!SaslPrep.TryPrepare(identity, out string prepared) || prepared != userName)) return ScramOutcome.OtherIdentity;
        first = new ScramClientFirst(userName, nonce.ToString(), header, bare);
        return ScramOutcome.Right;
    }
}
