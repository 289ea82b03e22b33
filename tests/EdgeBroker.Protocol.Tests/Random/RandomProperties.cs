using CsCheck;
using EdgeBroker.Fuzz.Naive;

namespace EdgeBroker.Protocol.Tests.Random;

/// <summary>Lists of properties that a packet may have, in any order.</summary>
internal static class RandomProperties
{
    /// <summary>Properties of a packet type; 0 is the will. None in 3.1.1.</summary>
    public static Gen<RandomProperty[]> For(int packetType, ProtocolVersion version)
    {
        if (version == ProtocolVersion.V311) return Gen.Const(Array.Empty<RandomProperty>());
        int[] ids = [.. SpecifiedProperties.Identifiers.Where(id => SpecifiedProperties.IsAllowed(id, packetType))];
        return Gen.OneOf([.. ids.Select(One)]).Array[0, 12].Select(properties => Allowed(properties, packetType));
    }

    /// <summary>The block of <paramref name="properties"/>, in memory of its own.</summary>
    public static PropertyBlock Block(int packetType, RandomProperty[] properties)
    {
        Span<byte> memory = new byte[4096];
        PropertyBuilder builder = packetType == 0 ? PropertyBuilder.ForWill(memory) : PropertyBuilder.For((PacketType)packetType, memory);
        foreach (RandomProperty property in properties) property.AddTo(ref builder);
        return builder.Block;
    }

    private static Gen<RandomProperty> One(int id)
    {
        string type = SpecifiedProperties.TypeOf(id)!;
        uint least = id is 0x0B or 0x21 or 0x23 or 0x27 ? 1u : 0u;
        uint most = type switch { "byte" => 1, "two" => ushort.MaxValue, "variable" => VariableByteInteger.MaxValue, "four" => uint.MaxValue, _ => 0 };
        Gen<byte[]> value = type == "binary" ? RandomText.Bytes : id == 0x08 ? RandomText.TopicName : RandomText.Text;
        Gen<uint> number = Gen.OneOf(Gen.UInt[Math.Min(least, most), most], Gen.OneOf(Math.Min(least, most), most));
        return Gen.Select(number, RandomText.Text, value, (n, name, v) => new RandomProperty(id, type, n, name, v));
    }

    private static RandomProperty[] Allowed(RandomProperty[] properties, int packetType)
    {
        var allowed = new List<RandomProperty>();
        foreach (RandomProperty property in properties)
        {
            bool mayRepeat = property.Id == 0x26 || (property.Id == 0x0B && packetType == 3);
            if (mayRepeat || allowed.All(p => p.Id != property.Id)) allowed.Add(property);
        }

        bool needsMethod = packetType == 15 || (packetType == 1 && allowed.Any(p => p.Id == 0x16));
        if (needsMethod && allowed.All(p => p.Id != 0x15)) allowed.Add(new RandomProperty(0x15, "text", 0, [], [(byte)'m']));
        return [.. allowed];
    }
}
