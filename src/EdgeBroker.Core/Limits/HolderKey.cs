using System.Globalization;

namespace EdgeBroker.Core.Limits;

/// <summary>Whose account something is on: a user's, or an anonymous client's address's.</summary>
public readonly record struct HolderKey
{
    /// <param name="userName">The user; null: an anonymous client.</param>
    /// <param name="network">An anonymous client's address; of a user it does not count.</param>
    public HolderKey(string? userName, ClientNetwork network) => (UserName, Network) = (userName, userName is null ? network : default);

    /// <summary>The user; null: an anonymous client.</summary>
    public string? UserName { get; }

    /// <summary>An anonymous client's address.</summary>
    public ClientNetwork Network { get; }

    /// <summary>Reads what <see cref="ToString"/> wrote; nobody's key where it is damaged.</summary>
    public static HolderKey Parse(string text)
    {
        if (text.StartsWith('u')) return new HolderKey(text[1..], default);
        int dot = text.IndexOf('.', StringComparison.Ordinal);
        if (dot > 0 && text[0] == 'n'
            && ulong.TryParse(text.AsSpan(1, dot - 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong high)
            && ulong.TryParse(text.AsSpan(dot + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong low))
        {
            return new HolderKey(null, new ClientNetwork(high, low));
        }

        return default;
    }

    /// <summary>As the store has it: "u" and the user's name, or "n" and the address's network in hexadecimal digits.</summary>
    public override string ToString() =>
        UserName is not null ? "u" + UserName : string.Create(CultureInfo.InvariantCulture, $"n{Network.High:x}.{Network.Low:x}");
}
