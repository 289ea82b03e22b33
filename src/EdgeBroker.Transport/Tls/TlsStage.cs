namespace EdgeBroker.Transport.Tls;

/// <summary>How far a <see cref="TlsConnection"/> has come.</summary>
internal enum TlsStage : byte
{
    /// <summary>No whole ClientHello has come.</summary>
    AwaitingHello,

    /// <summary>A part of one has.</summary>
    HasBegun,

    /// <summary>Hands are being shaken.</summary>
    ShakingHands,

    /// <summary>The protocol above has it.</summary>
    Open,

    /// <summary>It is over, or nothing that comes matters any more.</summary>
    Ended,
}
