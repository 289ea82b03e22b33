using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Webhooks.Events;

/// <summary>What is kept of a message to tell of it.</summary>
/// <param name="Topic">The topic, UTF-8.</param>
/// <param name="QoS">Its QoS.</param>
/// <param name="Retain">Its RETAIN.</param>
/// <param name="PayloadBytes">Bytes of its payload.</param>
/// <param name="Payload">The payload, or as much of it as anybody wants; empty where nobody does.</param>
/// <param name="Properties">Its properties as encoded.</param>
/// <param name="PublisherId">Who published it; null: nobody says.</param>
/// <param name="PublisherUser">Under which user; null: anonymous, or nobody says.</param>
internal sealed record MessageCopy(
    byte[] Topic, QoS QoS, bool Retain, int PayloadBytes, byte[] Payload, byte[] Properties, string? PublisherId, string? PublisherUser)
{
    public static MessageCopy Of(in Publication message, int wantedPayloadBytes) => new(
        message.Topic.ToArray(),
        message.QoS,
        message.Retain,
        message.Payload.Length,
        message.Payload[..Math.Min(message.Payload.Length, wantedPayloadBytes)].ToArray(),
        message.Properties.ToArray(),
        message.Publisher?.Id ?? message.Passage?.PublisherId,
        (message.Publisher as Session)?.UserName);

    /// <summary>What it is reckoned to take in memory.</summary>
    public int SizeBytes => Topic.Length + Payload.Length + Properties.Length;
}
