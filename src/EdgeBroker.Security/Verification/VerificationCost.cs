namespace EdgeBroker.Security.Verification;

/// <summary>The memory an attempt takes, in bytes.</summary>
/// <param name="WaitingBytes">From its coming to its end: the secret.</param>
/// <param name="WorkBytes">While it is verified, besides.</param>
public readonly record struct VerificationCost(int WaitingBytes, int WorkBytes);
