namespace EdgeBroker.Fuzz.Naive;

/// <summary>Properties walked one by one into a list (2.2.2).</summary>
public static class NaiveProperties
{
    /// <summary>Property length and properties of a packet; 0 is the will.</summary>
    public static List<(int Id, string Value)> Read(NaiveReader packet, int packetType)
    {
        var reader = new NaiveReader(packet.Take(packet.VariableByteInteger()));
        var properties = new List<(int Id, string Value)>();
        while (!reader.IsAtEnd)
        {
            int id = reader.Byte();
            if (!SpecifiedProperties.IsAllowed(id, packetType))
            {
                throw new NaiveRefusalException($"property {id} does not belong in {SpecifiedProperties.NameOf(packetType)}");
            }

            string value = ReadValue(reader, id);
            bool mayRepeat = id == 0x26 || (id == 0x0B && packetType == 3);
            if (!mayRepeat && properties.Any(p => p.Id == id)) throw new NaiveRefusalException($"property {id} stands twice");
            properties.Add((id, value));
        }

        return properties;
    }

    private static string ReadValue(NaiveReader reader, int id)
    {
        switch (SpecifiedProperties.TypeOf(id))
        {
            case "byte": return Checked(id, (uint)reader.Byte());
            case "two": return Checked(id, (uint)reader.TwoBytes());
            case "four": return Checked(id, reader.FourBytes());
            case "variable": return Checked(id, reader.VariableByteInteger());
            case "binary": return Fields.Bytes(reader.Binary());
            case "pair": return Fields.Pair(reader.Text(), reader.Text());
            default:
                byte[] text = reader.Text();
                if (id == 0x08 && !NaiveTopic.IsName(text)) throw new NaiveRefusalException("the response topic is no topic name");
                return Fields.Bytes(text);
        }
    }

    // Every property of one byte is a yes or no, or Maximum QoS, which is 0 or 1 too.
    private static string Checked(int id, uint value)
    {
        if (SpecifiedProperties.TypeOf(id) == "byte" && value > 1) throw new NaiveRefusalException($"property {id} is neither 0 nor 1");
        if (id is 0x0B or 0x21 or 0x23 or 0x27 && value == 0) throw new NaiveRefusalException($"property {id} is 0");
        return Fields.Number(value);
    }
}
