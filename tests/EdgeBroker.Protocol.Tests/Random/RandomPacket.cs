using System.Buffers;
using CsCheck;
using EdgeBroker.Fuzz;
using EdgeBroker.Fuzz.Naive;

namespace EdgeBroker.Protocol.Tests.Random;

/// <summary>A packet as the codec writes it from random fields, and what must be read from it.</summary>
internal sealed record RandomPacket(ProtocolVersion Version, byte[] Bytes, string Fields)
{
    private static readonly Gen<ProtocolVersion> Versions = Gen.OneOf(ProtocolVersion.V311, ProtocolVersion.V5);
    private static readonly Gen<ushort> PacketId = Gen.UShort[1, ushort.MaxValue];

    public static Gen<RandomPacket> Connect { get; } = Versions.SelectMany(v => Gen.Select(
        Gen.Select(RandomProperties.For(1, v), RandomText.Text, Gen.UShort, Gen.Bool),
        Gen.Select(Gen.Bool, RandomProperties.For(0, v), RandomText.TopicName, RandomText.Bytes, Gen.Int[0, 2], Gen.Bool),
        Gen.Select(Gen.Bool, RandomText.Text, Gen.Bool, RandomText.Bytes),
        (head, will, credentials) => WriteConnect(v, head, will, credentials)));

    public static Gen<RandomPacket> Connack { get; } = Versions.SelectMany(v => Gen.Select(
        Gen.Bool, CodeIn(2).Where(c => v == ProtocolVersion.V5 || c.ToConnectReturnCode() is not null), RandomProperties.For(2, v),
        (present, code, properties) =>
        {
            code = v == ProtocolVersion.V311 ? ReasonCodes.FromConnectReturnCode(code.ToConnectReturnCode()!.Value) : code;
            present &= code == ReasonCode.Success;
            var packet = new ConnackPacket { SessionPresent = present, ReasonCode = code, Properties = RandomProperties.Block(2, properties) };
            Fields fields = new Fields("CONNACK").Add("session", present ? 1 : 0).Add("code", (int)code).AddProperties("properties", Expected(properties));
            var output = new ArrayBufferWriter<byte>();
            packet.Write(output, v);
            return Written(v, fields, output);
        }));

    public static Gen<RandomPacket> Publish { get; } = Versions.SelectMany(v => Gen.Select(
        RandomProperties.For(3, v), RandomText.TopicName, RandomText.Bytes, PacketId, Gen.Int[0, 2], Gen.Int[0, 3],
        (properties, topic, payload, id, qos, flags) =>
            WritePublish(v, properties, topic, payload, id, qos, dup: qos > 0 && flags > 1, retain: flags % 2 == 1)));

    public static Gen<RandomPacket> Ack { get; } = Gen.Select(Versions, Gen.Int[4, 7]).SelectMany(t => Gen.Select(
        PacketId, CodeIn(t.Item2), RandomProperties.For(t.Item2, t.Item1), (id, code, properties) =>
        {
            if (t.Item1 == ProtocolVersion.V311) code = ReasonCode.Success;
            var packet = new AckPacket
            {
                Type = (PacketType)t.Item2,
                PacketId = id,
                ReasonCode = code,
                Properties = RandomProperties.Block(t.Item2, properties),
            };
            Fields fields = new Fields(SpecifiedProperties.NameOf(t.Item2)).Add("id", id)
                .Add("code", (int)code).AddProperties("properties", Expected(properties));
            var output = new ArrayBufferWriter<byte>();
            packet.Write(output, t.Item1);
            return Written(t.Item1, fields, output);
        }));

    public static Gen<RandomPacket> Subscribe { get; } = Versions.SelectMany(v => Gen.Select(
        PacketId, RandomProperties.For(8, v), Gen.Select(RandomText.TopicFilter, Options(v)).Array[1, 5], (id, properties, requests) =>
        {
            var filters = new ArrayBufferWriter<byte>();
            Fields fields = new Fields("SUBSCRIBE").Add("id", id).AddProperties("properties", Expected(properties));
            foreach ((byte[] filter, SubscriptionOptions chosen) in requests)
            {
                SubscriptionOptions options = NaiveTopic.IsShared(filter) ? new SubscriptionOptions((byte)(chosen.Value & ~4)) : chosen;
                SubscribePacket.AppendFilter(filters, filter, options);
                fields.Add("filter", filter).Add("options", options.Value);
            }

            var packet = new SubscribePacket { PacketId = id, Properties = RandomProperties.Block(8, properties), Filters = filters.WrittenSpan };
            var output = new ArrayBufferWriter<byte>();
            packet.Write(output, v);
            return Written(v, fields, output);
        }));

    public static Gen<RandomPacket> Unsubscribe { get; } = Versions.SelectMany(v => Gen.Select(
        PacketId, RandomProperties.For(10, v), RandomText.TopicFilter.Array[1, 5], (id, properties, requests) =>
        {
            var filters = new ArrayBufferWriter<byte>();
            Fields fields = new Fields("UNSUBSCRIBE").Add("id", id).AddProperties("properties", Expected(properties));
            foreach (byte[] filter in requests)
            {
                UnsubscribePacket.AppendFilter(filters, filter);
                fields.Add("filter", filter);
            }

            var packet = new UnsubscribePacket { PacketId = id, Properties = RandomProperties.Block(10, properties), Filters = filters.WrittenSpan };
            var output = new ArrayBufferWriter<byte>();
            packet.Write(output, v);
            return Written(v, fields, output);
        }));

    public static Gen<RandomPacket> Suback { get; } = Gen.Select(Versions, Gen.OneOf(9, 11)).SelectMany(t => Gen.Select(
        PacketId, RandomProperties.For(t.Item2, t.Item1), CodeIn(t.Item2).Array[1, 6], (id, properties, codes) =>
        {
            bool v5 = t.Item1 == ProtocolVersion.V5;
            var packet = new SubackPacket
            {
                Type = (PacketType)t.Item2,
                PacketId = id,
                Properties = RandomProperties.Block(t.Item2, properties),
                ReasonCodes = codes,
            };
            byte[] expected = [.. codes.Select(c => (byte)(v5 || !c.IsError() ? c : ReasonCode.UnspecifiedError))];
            Fields fields = new Fields(SpecifiedProperties.NameOf(t.Item2)).Add("id", id).AddProperties("properties", Expected(properties))
                .Add("codes", v5 || t.Item2 == 9 ? expected : []);
            var output = new ArrayBufferWriter<byte>();
            packet.Write(output, t.Item1);
            return Written(t.Item1, fields, output);
        }));

    public static Gen<RandomPacket> Disconnect { get; } = Gen.OneOf((ProtocolVersion.V311, 14), (ProtocolVersion.V5, 14), (ProtocolVersion.V5, 15))
        .SelectMany(t => Gen.Select(CodeIn(t.Item2), RandomProperties.For(t.Item2, t.Item1), (code, properties) =>
        {
            if (t.Item1 == ProtocolVersion.V311) code = ReasonCode.Success;
            var packet = new DisconnectPacket { Type = (PacketType)t.Item2, ReasonCode = code, Properties = RandomProperties.Block(t.Item2, properties) };
            Fields fields = new Fields(SpecifiedProperties.NameOf(t.Item2)).Add("code", (int)code).AddProperties("properties", Expected(properties));
            var output = new ArrayBufferWriter<byte>();
            packet.Write(output, t.Item1);
            return Written(t.Item1, fields, output);
        }));

    /// <summary>A packet of any type.</summary>
    public static Gen<RandomPacket> Any { get; } = Gen.OneOf(Connect, Connack, Publish, Ack, Subscribe, Unsubscribe, Suback, Disconnect);

    private static RandomPacket WriteConnect(
        ProtocolVersion v, (RandomProperty[] Properties, byte[] ClientId, ushort KeepAlive, bool Clean) head,
        (bool Has, RandomProperty[] Properties, byte[] Topic, byte[] Payload, int QoS, bool Retain) will,
        (bool HasUser, byte[] User, bool HasPassword, byte[] Password) credentials)
    {
        bool hasPassword = credentials.HasPassword && (v == ProtocolVersion.V5 || credentials.HasUser);
        var packet = new ConnectPacket
        {
            Version = v,
            CleanStart = head.Clean,
            KeepAliveSeconds = head.KeepAlive,
            ClientId = head.ClientId,
            Properties = RandomProperties.Block(1, head.Properties),
            HasWill = will.Has,
            WillQoS = (QoS)will.QoS,
            WillRetain = will.Retain,
            WillProperties = RandomProperties.Block(0, will.Properties),
            WillTopic = will.Topic,
            WillPayload = will.Payload,
            HasUserName = credentials.HasUser,
            UserName = credentials.User,
            HasPassword = hasPassword,
            Password = credentials.Password,
        };
        Fields fields = new Fields("CONNECT").Add("level", (int)v).Add("clean", head.Clean ? 1 : 0).Add("keepalive", head.KeepAlive)
            .AddProperties("properties", Expected(head.Properties)).Add("client", head.ClientId);
        if (will.Has)
        {
            fields.AddProperties("will", Expected(will.Properties)).Add("topic", will.Topic).Add("payload", will.Payload)
                .Add("qos", will.QoS).Add("retain", will.Retain ? 1 : 0);
        }

        if (credentials.HasUser) fields.Add("user", credentials.User);
        if (hasPassword) fields.Add("password", credentials.Password);
        var output = new ArrayBufferWriter<byte>();
        packet.Write(output);
        return Written(v, fields, output);
    }

    private static RandomPacket WritePublish(
        ProtocolVersion v, RandomProperty[] properties, byte[] topic, byte[] payload, ushort id, int qos, bool dup, bool retain)
    {
        RandomProperty[] forwarded = [.. properties.Where(p => p.Id is not (0x02 or 0x0B or 0x23))];
        RandomProperty? alias = properties.FirstOrDefault(p => p.Id == 0x23);
        // With an alias, the topic may be left out.
        byte[] written = alias is not null && retain ? [] : topic;
        var packet = new OutgoingPublish
        {
            Topic = written,
            Payload = payload,
            PacketId = id,
            QoS = (QoS)qos,
            Dup = dup,
            Retain = retain,
            ForwardedProperties = RandomProperties.Block(3, forwarded).Bytes,
            ExpirySeconds = properties.FirstOrDefault(p => p.Id == 0x02)?.Number,
            TopicAlias = (ushort)(alias?.Number ?? 0),
            SubscriptionIdentifiers = properties.Where(p => p.Id == 0x0B).Select(p => p.Number).ToArray(),
        };
        Fields fields = new Fields("PUBLISH").Add("dup", dup ? 1 : 0).Add("qos", qos).Add("retain", retain ? 1 : 0).Add("topic", written);
        if (qos > 0) fields.Add("id", id);
        fields.AddProperties("properties", Expected(properties)).Add("payload", payload);
        var output = new ArrayBufferWriter<byte>();
        packet.Write(output, v);
        return Written(v, fields, output);
    }

    private static RandomPacket Written(ProtocolVersion version, Fields fields, ArrayBufferWriter<byte> output) =>
        new(version, output.WrittenSpan.ToArray(), fields.ToString());

    private static Gen<ReasonCode> CodeIn(int packetType) => Gen.OneOf([.. SpecifiedReasonCodes.Of(packetType)!.Select(c => (ReasonCode)c)]);

    private static Gen<SubscriptionOptions> Options(ProtocolVersion version) => version == ProtocolVersion.V311
        ? Gen.Int[0, 2].Select(qos => new SubscriptionOptions((QoS)qos))
        : Gen.Select(
            Gen.Int[0, 2], Gen.Bool, Gen.Bool, Gen.Int[0, 2],
            (qos, local, retain, handling) => new SubscriptionOptions((QoS)qos, local, retain, (RetainHandling)handling));

    private static IEnumerable<(int Id, string Value)> Expected(RandomProperty[] properties) => properties.Select(p => p.Expected);
}
