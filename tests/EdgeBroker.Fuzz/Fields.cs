using System.Globalization;
using System.Text;

namespace EdgeBroker.Fuzz;

/// <summary>What a packet says, field by field, as one line of text: codec and oracle each write one, and the two lines are compared.</summary>
public sealed class Fields(string packet)
{
    private readonly StringBuilder _line = new(packet);

    public Fields Add(string name, long value)
    {
        _line.Append(CultureInfo.InvariantCulture, $" {name}={value}");
        return this;
    }

    public Fields Add(string name, ReadOnlySpan<byte> value)
    {
        _line.Append(CultureInfo.InvariantCulture, $" {name}=<{Convert.ToHexString(value)}>");
        return this;
    }

    /// <summary>Adds properties by identifier; those of one identifier keep their order, which is the only order that has a meaning.</summary>
    public Fields AddProperties(string name, IEnumerable<(int Id, string Value)> properties)
    {
        string all = string.Join(' ', properties.OrderBy(p => p.Id).Select(p => $"{p.Id}:{p.Value}"));
        _line.Append(CultureInfo.InvariantCulture, $" {name}=[{all}]");
        return this;
    }

    public static string Number(uint value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Bytes(ReadOnlySpan<byte> value) => Convert.ToHexString(value);

    public static string Pair(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => $"{Convert.ToHexString(name)}={Convert.ToHexString(value)}";

    public override string ToString() => _line.ToString();
}
