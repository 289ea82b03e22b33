namespace EdgeBroker.Core.Sessions;

/// <summary>What waits for a session.</summary>
/// <param name="Messages">Messages that wait.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="OldestSeconds">How long the oldest has waited; 0: none waits.</param>
/// <param name="Inflight">Messages sent and not acknowledged.</param>
/// <param name="OpenReceives">Messages of QoS 2 that it has sent itself, whose PUBREL has not come.</param>
public readonly record struct SessionBacklog(int Messages, long Bytes, long OldestSeconds, int Inflight, int OpenReceives);
