using EdgeBroker.Testing;

namespace EdgeBroker.Mqtt.Tests.Servers;

/// <summary>Random packets, valid and not.</summary>
internal static class Traffic
{
    private static readonly string[] Topics = ["a", "a/b", "b/+", "#", "+/#", "$SYS/x", "$share/g/a/#", "/", "", "a/b/c/d/e/f/g", "x", "ü/€"];

    public static byte[] Connect(Packets packets, Random random) => packets.Connect(
        "client" + random.Next(20),
        random.Next(2) == 0,
        random.Next(100),
        random.Next(2) == 0
            ? null
            : [.. Prop.SessionExpiry((uint)random.Next(3)), .. Prop.ReceiveMaximum(random.Next(1, 20)), .. Prop.TopicAliasMaximum(random.Next(5))],
        random.Next(3) > 0 ? null : new TestWill("a", "will", random.Next(3), random.Next(2) == 0));

    public static byte[] Packet(Packets packets, Random random)
    {
        string topic = Topics[random.Next(Topics.Length)];
        int id = random.Next(1, 12);
        return random.Next(12) switch
        {
            0 => packets.Subscribe(id, topic.Length == 0 ? "a" : topic, random.Next(3)),
            1 => packets.Unsubscribe(id, topic.Length == 0 ? "a" : topic),
            2 => packets.Puback(id),
            3 => packets.Pubrec(id),
            4 => packets.Pubrel(id),
            5 => packets.Pubcomp(id),
            6 => Packets.Pingreq(),
            7 when random.Next(10) == 0 => packets.Disconnect(),
            8 when random.Next(10) == 0 => packets.Connect("second"),
            9 => packets.Publish(topic, new byte[random.Next(20_000)], random.Next(3), id, random.Next(2) == 0 && !topic.StartsWith('$')),
            _ => packets.Publish(
                "a/b", new byte[random.Next(300)], random.Next(3), id, random.Next(5) == 0, false,
                [.. Prop.MessageExpiry((uint)random.Next(100)), .. Prop.TopicAlias(random.Next(1, 40))]),
        };
    }

    public static byte[] Mutate(byte[] packet, Random random)
    {
        var bytes = new List<byte>(packet);
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.Insert(at, (byte)random.Next(256)); break;
                case 2 when bytes.Count > 1: bytes.RemoveAt(at); break;
                default: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            }
        }

        return [.. bytes];
    }
}
