namespace EdgeBroker.Core.Security;

/// <summary>What rules call the ways in which a user name is proved (<c>via</c>).</summary>
public static class AccountKinds
{
    /// <summary>The words, with the method each stands for.</summary>
    public static IReadOnlyList<(string Word, AuthenticationMethod Method)> All { get; } =
    [
        ("password", AuthenticationMethod.Password),
        ("token", AuthenticationMethod.Jwt),
        ("certificate", AuthenticationMethod.Certificate),
        ("peer", AuthenticationMethod.Peer),
        ("psk", AuthenticationMethod.Psk),
    ];

    /// <summary>The method a word stands for; null: none.</summary>
    public static AuthenticationMethod? Find(string word)
    {
        foreach ((string one, AuthenticationMethod method) in All)
        {
            if (one == word) return method;
        }

        return null;
    }
}
