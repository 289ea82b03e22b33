using System.Text;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Rig;

/// <summary>A connection without bytes: encodes what the session sends, reads it back, and keeps it.</summary>
internal sealed class FakeLink(ProtocolVersion version = ProtocolVersion.V5) : ISessionLink
{
    private bool _hasRoom = true;
    private bool _wantsCallbackWhenDrained;

    public List<Packet> Sent { get; } = [];

    public bool? SessionPresent { get; private set; }

    public ReasonCode? ClosedWith { get; private set; }

    /// <summary>Whether the session has asked for a callback.</summary>
    public bool PumpRequested { get; set; }

    public int MaxPacketBytes { get; init; } = int.MaxValue;

    /// <summary>Whether this connection has a bug: it throws whenever it is to send a message.</summary>
    public bool Throws { get; set; }

    /// <summary>Whether it throws when it is asked for room.</summary>
    public bool ThrowsWhenAskedForRoom { get; set; }

    /// <summary>Segments it was sent whole.</summary>
    public int Segments { get; private set; }

    /// <summary>Whether QoS 0 finds the output full.</summary>
    public bool IsFull { get; set; }

    public Session? PreparedFor { get; private set; }

    /// <summary>What happens between finding the session and taking it.</summary>
    public Action? WhilePreparing { get; init; }

    public bool HasRoom
    {
        get => ThrowsWhenAskedForRoom ? throw new InvalidTimeZoneException("a bug") : _hasRoom;
        set
        {
            _hasRoom = value;
            if (!value || !_wantsCallbackWhenDrained) return;
            _wantsCallbackWhenDrained = false;
            PumpRequested = true;
        }
    }

    public void RequestPumpWhenDrained()
    {
        Assert.False(_hasRoom);
        _wantsCallbackWhenDrained = true;
    }

    public void Prepare(Session session)
    {
        PreparedFor = session;
        WhilePreparing?.Invoke();
    }

    public void SendConnack(bool sessionPresent)
    {
        Assert.Empty(Sent);
        SessionPresent = sessionPresent;
    }

    public SendOutcome Send(in Delivery delivery, in Publication message, RoutingContext context)
    {
        if (Throws) throw new InvalidTimeZoneException("a bug");
        if (delivery.QoS == QoS.AtMostOnce && IsFull) return SendOutcome.NoRoom;
        var publish = new OutgoingPublish
        {
            Topic = message.Topic,
            Payload = message.Payload,
            ForwardedProperties = message.Properties,
            ExpirySeconds = message.ExpirySeconds,
            SubscriptionIdentifiers = delivery.SubscriptionIdentifiers,
            QoS = delivery.QoS,
            Retain = delivery.Retain,
            Dup = delivery.Dup,
            PacketId = delivery.PacketId,
        };
        if (publish.Length(version) > MaxPacketBytes) return SendOutcome.TooLarge;
        byte[] bytes = new byte[publish.Length(version)];
        Assert.Equal(bytes.Length, publish.Write(bytes, version));
        Sent.Add(Read(bytes));
        return SendOutcome.Sent;
    }

    public bool TrySend(in MessageSegment segment, Subscription subscription, RoutingContext context)
    {
        if (Throws) throw new InvalidTimeZoneException("a bug");
        if (IsFull || MaxPacketBytes < int.MaxValue || subscription.Identifiers is not null) return false;
        for (int i = 0; i < segment.Count; i++) Assert.Equal(SendOutcome.Sent, Send(default, segment[i], context));
        Segments++;
        return true;
    }

    public void SendPubrel(ushort packetId) => Sent.Add(new Packet(PacketType.Pubrel, packetId));

    public void RequestPump() => PumpRequested = true;

    public void Close(ReasonCode reason) => ClosedWith = reason;

    private Packet Read(byte[] bytes)
    {
        Assert.Equal(FrameStatus.Complete, Frame.Cut(bytes, int.MaxValue, out Frame frame, out _));
        Assert.True(PublishPacket.TryParse(frame, version, out PublishPacket publish, out ParseError error), error.Explanation);
        var identifiers = new List<uint>();
        var users = new List<string>();
        foreach (Property property in publish.Properties)
        {
            if (property.Id == PropertyId.SubscriptionIdentifier) identifiers.Add(property.Number);
            if (property.Id == PropertyId.UserProperty) users.Add(Encoding.UTF8.GetString(property.Name) + "=" + Encoding.UTF8.GetString(property.Value));
        }

        return new Packet(
            PacketType.Publish, publish.PacketId, Encoding.UTF8.GetString(publish.Topic), Encoding.UTF8.GetString(publish.Payload), publish.QoS, publish.Retain,
            publish.Dup)
        {
            SubscriptionIdentifiers = [.. identifiers],
            UserProperties = [.. users],
            ExpirySeconds = publish.Properties.Has(PropertyId.MessageExpiryInterval) ? publish.Properties.GetNumber(PropertyId.MessageExpiryInterval, 0) : null,
        };
    }
}
