using EdgeBroker.Protocol;

namespace EdgeBroker.Fuzz.Codec;

/// <summary>A property block as identifiers and values, read through the enumerator and checked against the look-ups.</summary>
public static class PropertyText
{
    public static List<(int Id, string Value)> Of(PropertyBlock block)
    {
        var all = new List<(int Id, string Value)>();
        var seen = new HashSet<int>();
        int encodedBytes = 0;
        foreach (Property property in block)
        {
            CheckLookUps(block, property, isFirst: seen.Add((int)property.Id));
            encodedBytes += property.Encoded.Length;
            all.Add(((int)property.Id, ValueOf(property)));
        }

        if (encodedBytes != block.Bytes.Length) throw new DisagreementException("The walk over a valid block stops early", block.Bytes);
        for (int id = 0; id <= 42; id++)
        {
            if (block.Has((PropertyId)id) != seen.Contains(id)) throw new DisagreementException($"Has({id}) contradicts the walk", block.Bytes);
        }

        return all;
    }

    private static string ValueOf(in Property property) => (int)property.Id switch
    {
        0x26 => Fields.Pair(property.Name, property.Value),
        0x03 or 0x08 or 0x09 or 0x12 or 0x15 or 0x16 or 0x1A or 0x1C or 0x1F => Fields.Bytes(property.Value),
        _ => Fields.Number(property.Number),
    };

    private static void CheckLookUps(PropertyBlock block, in Property property, bool isFirst)
    {
        if (!isFirst) return;
        bool same = block.GetNumber(property.Id, 77) == property.Number && block.GetValue(property.Id).SequenceEqual(property.Value);
        if (!same) throw new DisagreementException($"Looking up {property.Id} finds another value than walking", block.Bytes);
    }
}
