namespace EdgeBroker.Transport.UnixSockets;

/// <summary>A user of this machine.</summary>
/// <param name="UserId">Its number.</param>
/// <param name="GroupId">Its own group.</param>
/// <param name="Groups">All groups it is in, its own included.</param>
public sealed record LocalAccount(uint UserId, uint GroupId, uint[] Groups);
