namespace EdgeBroker.Core.Sessions;

/// <summary>What waits for a session.</summary>
/// <param name="Messages">Messages that wait.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="OldestSeconds">How long the oldest has waited; 0: none waits.</param>
/// <param name="Inflight">Messages sent and not acknowledged.</param>
public readonly record struct SessionBacklog(int Messages, long Bytes, long OldestSeconds, int Inflight);
