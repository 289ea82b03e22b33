namespace EdgeBroker.Cluster.State;

/// <summary>How much the replicated state holds at most. They are part of the state's rules: every member must have the same.</summary>
internal static class StateLimits
{
    /// <summary>Node ids are 1 to this.</summary>
    public const int MostNodes = 7;

    /// <summary>Bytes of a client id.</summary>
    public const int MostClientIdBytes = 256;

    /// <summary>Bytes of a command.</summary>
    public const int MostCommandBytes = 48 * 1024;

    /// <summary>Bytes of a node's name.</summary>
    public const int MostNameBytes = 64;

    /// <summary>Bytes of an address or a server's URL.</summary>
    public const int MostAddressBytes = 255;

    /// <summary>Servers a node tells clients of.</summary>
    public const int MostServers = 8;

    /// <summary>Bytes of a certificate's fingerprint (SHA-256).</summary>
    public const int FingerprintBytes = 32;

    /// <summary>Sessions claimed over nodes that have not settled yet.</summary>
    public const int MostClaims = 250_000;

    /// <summary>Leases.</summary>
    public const int MostLeases = 1024;

    /// <summary>Certificates of nodes that left, which stay refused; beyond, the oldest are forgotten.</summary>
    public const int MostRefusedCertificates = 256;

    /// <summary>How far a node's highest grant may lie above the last one known: no more than lost entries can explain.</summary>
    public const long MostGrantJump = 1L << 40;

    /// <summary>Bytes of a snapshot: all of the above at its most.</summary>
    public const int MostSnapshotBytes = 96 * 1024 * 1024;
}
