using System.Text;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Rig;

/// <summary>A connection without bytes: encodes what the session sends, reads it back, and keeps it.</summary>
internal sealed class FakeLink(ProtocolVersion version = ProtocolVersion.V5) : ISessionLink
{
    private bool _hasRoom = true;
    private bool _wantsTurnWhenDrained;

    public List<Packet> Sent { get; } = [];

    public bool? SessionPresent { get; private set; }

    public ReasonCode? ClosedWith { get; private set; }

    /// <summary>Whether the session has asked for a turn.</summary>
    public bool PumpRequested { get; set; }

    public int MaxPacketBytes { get; init; } = int.MaxValue;

    /// <summary>Whether this connection has a bug: it throws whenever it is to send a message.</summary>
    public bool Throws { get; set; }

    /// <summary>Whether it throws when it is asked for room.</summary>
    public bool ThrowsWhenAskedForRoom { get; set; }

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
            if (!value || !_wantsTurnWhenDrained) return;
            _wantsTurnWhenDrained = false;
            PumpRequested = true;
        }
    }

    public void RequestPumpWhenDrained()
    {
        Assert.False(_hasRoom);
        _wantsTurnWhenDrained = true;
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

    public SendOutcome SendPublish(in OutgoingPublish publish, RoutingContext context, bool fanOut)
    {
        if (Throws) throw new InvalidTimeZoneException("a bug");
        if (publish.QoS == QoS.AtMostOnce && IsFull) return SendOutcome.NoRoom;
        if (publish.Length(version) > MaxPacketBytes) return SendOutcome.TooLarge;
        byte[] bytes;
        if (fanOut)
        {
            bytes = context.FanOut.Get(publish, version, out int packetIdAt).ToArray();
            if (packetIdAt != 0) (bytes[packetIdAt], bytes[packetIdAt + 1]) = ((byte)(publish.PacketId >> 8), (byte)publish.PacketId);
        }
        else
        {
            bytes = new byte[publish.Length(version)];
            Assert.Equal(bytes.Length, publish.Write(bytes, version));
        }

        Sent.Add(Read(bytes));
        return SendOutcome.Sent;
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
