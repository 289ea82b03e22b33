namespace EdgeBroker.Core.Sessions;

/// <summary>
/// A connection's right to act for a session. A newer connection bumps the session's generation; from then on the calls of the old one do nothing,
/// whatever it still has in its buffers.
/// </summary>
/// <param name="Session">The session.</param>
/// <param name="Generation">The generation the right was given in.</param>
public readonly record struct ConnectionLease(Session Session, uint Generation);
