namespace EdgeBroker.Protocol.Scram;

/// <summary>What a server finds in a message of a client.</summary>
public enum ScramOutcome
{
    /// <summary>All is as it should be.</summary>
    Right,

    /// <summary>Not a message of SCRAM, or longer than any.</summary>
    Malformed,

    /// <summary>An extension that must be understood, and is not.</summary>
    UnknownExtension,

    /// <summary>The client asks to bind the channel, which belongs to SCRAM-SHA-256-PLUS.</summary>
    ChannelBinding,

    /// <summary>The client wants to act as somebody else.</summary>
    OtherIdentity,

    /// <summary>The user name is prohibited, or in a form that is not taken here: see <see cref="SaslPrep"/>.</summary>
    UserNameNotTaken,

    /// <summary>The second message does not belong to the first: another nonce or another header.</summary>
    OtherExchange,

    /// <summary>The proof is wrong.</summary>
    WrongProof,
}
