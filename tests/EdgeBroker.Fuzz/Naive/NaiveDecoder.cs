namespace EdgeBroker.Fuzz.Naive;

/// <summary>Decodes control packets the slow way, from the text of the two specifications and without the codec.</summary>
public static class NaiveDecoder
{
    /// <summary>The fields of a packet given by its first byte and what follows the remaining length; null when it breaks a rule.</summary>
    public static string? Decode(byte header, byte[] body, bool v5)
    {
        var reader = new NaiveReader(body);
        int type = header / 16;
        try
        {
            Fields fields = type switch
            {
                1 => Connect(reader),
                2 => Connack(reader, v5),
                3 => Publish(reader, header % 16, v5),
                4 or 5 or 6 or 7 => Acknowledgement(reader, type, v5),
                8 => Subscribe(reader, v5),
                9 or 11 => Suback(reader, type, v5),
                10 => Unsubscribe(reader, v5),
                14 or 15 => Disconnect(reader, type, v5),
                _ => new Fields(SpecifiedProperties.NameOf(type)),
            };
            reader.MustBeAtEnd();
            return fields.ToString();
        }
        catch (NaiveRefusalException)
        {
            return null;
        }
    }

    private static Fields Connect(NaiveReader reader)
    {
        byte[] name = reader.Binary();
        int level = reader.Byte();
        if (level is 0x83 or 0x84) level -= 0x80;
        bool isKnown = level == 3 ? name.SequenceEqual("MQIsdp"u8.ToArray()) : level is 4 or 5 && name.SequenceEqual("MQTT"u8.ToArray());
        Require(isKnown, "protocol name and level");
        bool v5 = level == 5;
        bool[] bits = Bits(reader.Byte());
        int willQoS = (bits[3] ? 1 : 0) + (bits[4] ? 2 : 0);
        Require(!bits[0] && willQoS != 3, "connect flags");
        Require(bits[2] || (willQoS == 0 && !bits[5]), "will flags without a will");
        Require(v5 || bits[7] || !bits[6], "password without user name");
        var fields = new Fields("CONNECT");
        fields.Add("level", level).Add("clean", bits[1] ? 1 : 0).Add("keepalive", reader.TwoBytes());
        List<(int Id, string Value)> properties = v5 ? NaiveProperties.Read(reader, 1) : [];
        Require(properties.Any(p => p.Id == 0x15) || properties.All(p => p.Id != 0x16), "authentication data without method");
        fields.AddProperties("properties", properties).Add("client", reader.Text());
        if (bits[2])
        {
            fields.AddProperties("will", v5 ? NaiveProperties.Read(reader, 0) : []);
            byte[] topic = reader.Text();
            Require(NaiveTopic.IsName(topic), "will topic");
            fields.Add("topic", topic).Add("payload", reader.Binary()).Add("qos", willQoS).Add("retain", bits[5] ? 1 : 0);
        }

        if (bits[7]) fields.Add("user", reader.Text());
        if (bits[6]) fields.Add("password", reader.Binary());
        return fields;
    }

    private static Fields Connack(NaiveReader reader, bool v5)
    {
        int flags = reader.Byte(), code = reader.Byte();
        Require(flags <= 1, "acknowledge flags");
        if (v5) Require(SpecifiedReasonCodes.Of(2)!.Contains(code), "reason code");
        Require(code == 0 || flags == 0, "session present in a refusal");
        var fields = new Fields("CONNACK");
        int[] codesOf311 = [0x00, 0x84, 0x85, 0x88, 0x86, 0x87];
        fields.Add("session", flags).Add("code", v5 ? code : code < codesOf311.Length ? codesOf311[code] : 0x80);
        return fields.AddProperties("properties", v5 ? NaiveProperties.Read(reader, 2) : []);
    }

    private static Fields Publish(NaiveReader reader, int flags, bool v5)
    {
        int qos = flags / 2 % 4;
        Require(qos != 3 && (qos != 0 || flags < 8), "publish flags");
        byte[] topic = reader.Text();
        var fields = new Fields("PUBLISH");
        fields.Add("dup", flags / 8).Add("qos", qos).Add("retain", flags % 2).Add("topic", topic);
        if (qos > 0) fields.Add("id", PacketId(reader));
        List<(int Id, string Value)> properties = v5 ? NaiveProperties.Read(reader, 3) : [];
        Require(NaiveTopic.IsName(topic) || (topic.Length == 0 && properties.Any(p => p.Id == 0x23)), "topic name");
        return fields.AddProperties("properties", properties).Add("payload", reader.Rest());
    }

    private static Fields Acknowledgement(NaiveReader reader, int type, bool v5)
    {
        var fields = new Fields(SpecifiedProperties.NameOf(type));
        fields.Add("id", PacketId(reader));
        return AddReason(fields, reader, type, v5);
    }

    private static Fields Disconnect(NaiveReader reader, int type, bool v5)
    {
        Require(v5 || type == 14, "AUTH in 3.1.1");
        string fields = AddReason(new Fields(""), reader, type, v5).ToString();
        // 3.15.2.2.2: only the AUTH that says nothing but success needs no method.
        if (type == 15 && fields != " code=0 properties=[]") Require(fields.Contains("[21:", StringComparison.Ordinal), "AUTH without a method");
        return new Fields(SpecifiedProperties.NameOf(type) + fields);
    }

    private static Fields AddReason(Fields fields, NaiveReader reader, int type, bool v5)
    {
        int code = v5 && !reader.IsAtEnd ? reader.Byte() : 0;
        List<(int Id, string Value)> properties = v5 && !reader.IsAtEnd ? NaiveProperties.Read(reader, type) : [];
        Require(SpecifiedReasonCodes.Of(type)!.Contains(code), "reason code");
        return fields.Add("code", code).AddProperties("properties", properties);
    }

    private static Fields Subscribe(NaiveReader reader, bool v5)
    {
        var fields = new Fields("SUBSCRIBE");
        fields.Add("id", PacketId(reader)).AddProperties("properties", v5 ? NaiveProperties.Read(reader, 8) : []);
        do
        {
            byte[] filter = reader.Text();
            Require(NaiveTopic.IsFilter(filter), "topic filter");
            int options = reader.Byte();
            bool[] bits = Bits(options);
            Require(!bits[6] && !bits[7] && !(bits[0] && bits[1]) && !(bits[4] && bits[5]), "subscription options");
            Require(v5 || options <= 2, "subscription options of 3.1.1");
            Require(!bits[2] || !NaiveTopic.IsShared(filter), "no local on a shared subscription");
            fields.Add("filter", filter).Add("options", options);
        }
        while (!reader.IsAtEnd);
        return fields;
    }

    private static Fields Suback(NaiveReader reader, int type, bool v5)
    {
        var fields = new Fields(SpecifiedProperties.NameOf(type));
        fields.Add("id", PacketId(reader)).AddProperties("properties", v5 ? NaiveProperties.Read(reader, type) : []);
        byte[] codes = type == 11 && !v5 ? [] : reader.Rest();
        int[] allowed = v5 ? SpecifiedReasonCodes.Of(type)! : [0, 1, 2, 0x80];
        Require(codes.All(c => allowed.Contains(c)), "reason codes");
        Require(codes.Length > 0 || (type == 11 && !v5), "no reason code");
        return fields.Add("codes", codes);
    }

    private static Fields Unsubscribe(NaiveReader reader, bool v5)
    {
        var fields = new Fields("UNSUBSCRIBE");
        fields.Add("id", PacketId(reader)).AddProperties("properties", v5 ? NaiveProperties.Read(reader, 10) : []);
        do
        {
            byte[] filter = reader.Text();
            Require(NaiveTopic.IsFilter(filter), "topic filter");
            fields.Add("filter", filter);
        }
        while (!reader.IsAtEnd);
        return fields;
    }

    private static int PacketId(NaiveReader reader)
    {
        int id = reader.TwoBytes();
        Require(id != 0, "packet identifier");
        return id;
    }

    private static bool[] Bits(int value) => [.. Enumerable.Range(0, 8).Select(bit => value / (1 << bit) % 2 == 1)];

    private static void Require(bool holds, string rule)
    {
        if (!holds) throw new NaiveRefusalException(rule);
    }
}
