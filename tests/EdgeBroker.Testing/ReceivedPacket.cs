using System.Buffers.Binary;
using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Testing;

/// <summary>A packet the broker sent, taken apart by a decoder of the tests' own. What its type does not have is left at its default.</summary>
public sealed class ReceivedPacket
{
    private int _at;

    private ReceivedPacket(byte[] bytes) => Bytes = bytes;

    /// <summary>The packet as it came.</summary>
    public byte[] Bytes { get; }

    public PacketType Type => (PacketType)(Bytes[0] >> 4);

    public int Flags => Bytes[0] & 0x0F;

    public int QoS => (Flags >> 1) & 3;

    public bool Dup => (Flags & 8) != 0;

    public bool Retain => (Flags & 1) != 0;

    public bool SessionPresent { get; private set; }

    public string Topic { get; private set; } = "";

    public byte[] Payload { get; private set; } = [];

    public string PayloadText => Encoding.UTF8.GetString(Payload);

    public int PacketId { get; private set; }

    /// <summary>The reason code; 3.1.1's return code in CONNACK.</summary>
    public ReasonCode Reason { get; private set; }

    /// <summary>The codes of SUBACK and UNSUBACK.</summary>
    public byte[] Codes { get; private set; } = [];

    public ReceivedProperties Properties { get; private set; } = new([]);

    /// <summary>Takes a packet apart.</summary>
    /// <exception cref="ExpectationException">It is not well-formed.</exception>
    public static ReceivedPacket Read(byte[] bytes, ProtocolVersion version)
    {
        var packet = new ReceivedPacket(bytes);
        try
        {
            packet.Read(version == ProtocolVersion.V5);
        }
        catch (Exception exception) when (exception is ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            throw new ExpectationException($"the broker sent a malformed packet: {Convert.ToHexString(bytes)}", exception);
        }

        return packet;
    }

    /// <summary>One line for the message of a failed test.</summary>
    public static string Describe(byte[] bytes)
    {
        string hex = Convert.ToHexString(bytes.AsSpan(0, Math.Min(bytes.Length, 64)));
        return $"{(PacketType)(bytes[0] >> 4)} of {bytes.Length} bytes: {hex}{(bytes.Length > 64 ? "..." : "")}";
    }

    public override string ToString() => Describe(Bytes);

    private void Read(bool v5)
    {
        _at = 1;
        ReadVariableByteInteger();
        switch (Type)
        {
            case PacketType.Connack:
                SessionPresent = ReadByte() == 1;
                Reason = (ReasonCode)ReadByte();
                if (v5) ReadProperties();
                break;
            case PacketType.Publish:
                Topic = Encoding.UTF8.GetString(ReadBinary());
                if (QoS > 0) PacketId = ReadUInt16();
                if (v5) ReadProperties();
                Payload = Bytes[_at..];
                break;
            case PacketType.Puback or PacketType.Pubrec or PacketType.Pubrel or PacketType.Pubcomp:
                PacketId = ReadUInt16();
                ReadReason();
                break;
            case PacketType.Suback or PacketType.Unsuback:
                PacketId = ReadUInt16();
                if (v5) ReadProperties();
                Codes = Bytes[_at..];
                break;
            case PacketType.Disconnect or PacketType.Auth:
                ReadReason();
                break;
        }
    }

    private void ReadReason()
    {
        if (_at < Bytes.Length) Reason = (ReasonCode)ReadByte();
        if (_at < Bytes.Length) ReadProperties();
    }

    private void ReadProperties()
    {
        int end = ReadVariableByteInteger();
        end += _at;
        var found = new List<(PropertyId Id, object Value)>();
        while (_at < end)
        {
            var id = (PropertyId)ReadByte();
            found.Add((id, ReadValue(id)));
        }

        if (_at != end) throw new ArgumentException("the property length does not fit the properties");
        Properties = new ReceivedProperties(found);
    }

    private object ReadValue(PropertyId id) => (int)id switch
    {
        1 or 23 or 25 or 36 or 37 or 40 or 41 or 42 => (uint)ReadByte(),
        19 or 33 or 34 or 35 => (uint)ReadUInt16(),
        2 or 17 or 24 or 39 => ReadUInt32(),
        11 => (uint)ReadVariableByteInteger(),
        9 or 22 => ReadBinary(),
        38 => (Encoding.UTF8.GetString(ReadBinary()), Encoding.UTF8.GetString(ReadBinary())),
        3 or 8 or 18 or 21 or 26 or 28 or 31 => Encoding.UTF8.GetString(ReadBinary()),
        _ => throw new ArgumentException($"property {(int)id} does not exist"),
    };

    private byte ReadByte() => Bytes[_at++];

    private int ReadUInt16()
    {
        _at += 2;
        return BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(_at - 2, 2));
    }

    private uint ReadUInt32()
    {
        _at += 4;
        return BinaryPrimitives.ReadUInt32BigEndian(Bytes.AsSpan(_at - 4, 4));
    }

    private byte[] ReadBinary()
    {
        int length = ReadUInt16();
        _at += length;
        return Bytes[(_at - length).._at];
    }

    private int ReadVariableByteInteger()
    {
        int value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte one = ReadByte();
            value |= (one & 0x7F) << shift;
            if ((one & 0x80) == 0) return value;
        }
    }
}
