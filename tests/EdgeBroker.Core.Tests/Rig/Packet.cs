using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Rig;

/// <summary>What a session wrote to its link, as a client reads it.</summary>
internal sealed record Packet(
    PacketType Type, ushort Id = 0, string Topic = "", string Payload = "", QoS QoS = QoS.AtMostOnce, bool Retain = false, bool Dup = false)
{
    public uint[] SubscriptionIdentifiers { get; init; } = [];

    public uint? ExpirySeconds { get; init; }

    public string[] UserProperties { get; init; } = [];
}
