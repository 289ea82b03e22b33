using System.Buffers;
using BenchmarkDotNet.Attributes;
using EdgeBroker.Protocol;

namespace EdgeBroker.Benchmarks;

/// <summary>The codec on the path of a message: cut, parse, read what routing needs, write to a subscriber.</summary>
[MemoryDiagnoser]
public class CodecBenchmarks
{
    private readonly byte[] _payload = new byte[64];
    private readonly byte[] _userProperty = [0x26, 0, 4, .. "unit"u8, 0, 1, .. "C"u8];
    private readonly byte[] _destination = new byte[4096];
    private readonly byte[] _forwarded = new byte[256];
    private byte[] _publish311 = [];
    private byte[] _publish5 = [];
    private byte[] _publish5WithProperties = [];
    private byte[] _subscribe = [];
    private byte[] _puback = [];

    private OutgoingPublish Plain => new() { Topic = "plant/3/line/7/temperature"u8, Payload = _payload };

    private OutgoingPublish WithProperties => new()
    {
        Topic = "plant/3/line/7/temperature"u8,
        Payload = _payload,
        QoS = QoS.AtLeastOnce,
        PacketId = 7,
        ForwardedProperties = _userProperty,
        ExpirySeconds = 60,
        TopicAlias = 3,
    };

    [GlobalSetup]
    public void Write()
    {
        _publish311 = _destination[..Plain.Write(_destination, ProtocolVersion.V311)];
        _publish5 = _destination[..Plain.Write(_destination, ProtocolVersion.V5)];
        _publish5WithProperties = _destination[..WithProperties.Write(_destination, ProtocolVersion.V5)];
        _puback = [0x40, 2, 0, 7];
        var filters = new ArrayBufferWriter<byte>();
        SubscribePacket.AppendFilter(filters, "plant/+/line/#"u8, new SubscriptionOptions(QoS.AtLeastOnce));
        var packet = new ArrayBufferWriter<byte>();
        new SubscribePacket { PacketId = 7, Filters = filters.WrittenSpan }.Write(packet, ProtocolVersion.V5);
        _subscribe = packet.WrittenSpan.ToArray();
    }

    [Benchmark]
    public int Parse_publish_3_1_1() => ParsePublish(_publish311, ProtocolVersion.V311);

    [Benchmark]
    public int Parse_publish_5() => ParsePublish(_publish5, ProtocolVersion.V5);

    [Benchmark]
    public int Parse_publish_5_with_properties() => ParsePublish(_publish5WithProperties, ProtocolVersion.V5);

    [Benchmark]
    public int Parse_and_forward_properties()
    {
        Frame.Cut(_publish5WithProperties, int.MaxValue, out Frame frame, out _);
        PublishPacket.TryParse(frame, ProtocolVersion.V5, out PublishPacket packet, out _);
        return (int)packet.Properties.GetNumber(PropertyId.TopicAlias, 0) + (int)packet.Properties.GetNumber(PropertyId.MessageExpiryInterval, 0)
            + packet.Properties.CopyForwarded(_forwarded);
    }

    [Benchmark]
    public bool Parse_puback()
    {
        Frame.Cut(_puback, int.MaxValue, out Frame frame, out _);
        return AckPacket.TryParse(frame, ProtocolVersion.V5, out _, out _);
    }

    [Benchmark]
    public bool Parse_subscribe()
    {
        Frame.Cut(_subscribe, int.MaxValue, out Frame frame, out _);
        return SubscribePacket.TryParse(frame, ProtocolVersion.V5, out _, out _);
    }

    [Benchmark]
    public int Write_publish_3_1_1() => Plain.Write(_destination, ProtocolVersion.V311);

    [Benchmark]
    public int Write_publish_5() => Plain.Write(_destination, ProtocolVersion.V5);

    [Benchmark]
    public int Write_publish_5_with_properties() => WithProperties.Write(_destination, ProtocolVersion.V5);

    private static int ParsePublish(byte[] bytes, ProtocolVersion version)
    {
        Frame.Cut(bytes, int.MaxValue, out Frame frame, out _);
        return PublishPacket.TryParse(frame, version, out PublishPacket packet, out _) ? packet.Topic.Length : 0;
    }
}
