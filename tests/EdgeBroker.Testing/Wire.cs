using System.Text;

namespace EdgeBroker.Testing;

/// <summary>
/// The encodings of MQTT written down a second time, plainly, so that what a test expects does not come from the codec it tests. Made of byte arrays, which a
/// test joins with <c>[.. a, .. b]</c>.
/// </summary>
public static class Wire
{
    /// <summary>A whole packet: first byte, remaining length, body.</summary>
    public static byte[] Packet(int header, params byte[] body) => [(byte)header, .. VariableByteInteger(body.Length), .. body];

    /// <summary>A string behind its length.</summary>
    public static byte[] Text(string text) => Binary(Encoding.UTF8.GetBytes(text));

    /// <summary>Bytes behind their length.</summary>
    public static byte[] Binary(params byte[] bytes) => [.. UInt16(bytes.Length), .. bytes];

    /// <summary>Two bytes, the high one first.</summary>
    public static byte[] UInt16(int value) => [(byte)(value >> 8), (byte)value];

    /// <summary>Four bytes, the highest first.</summary>
    public static byte[] UInt32(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    /// <summary>Seven bits a byte, the lowest first.</summary>
    public static byte[] VariableByteInteger(int value)
    {
        var bytes = new List<byte>();
        do
        {
            bytes.Add((byte)((value & 0x7F) | (value > 0x7F ? 0x80 : 0)));
            value >>= 7;
        }
        while (value > 0);
        return [.. bytes];
    }

    /// <summary>Properties behind their length.</summary>
    public static byte[] Properties(byte[]? properties) => properties is null ? [0] : [.. VariableByteInteger(properties.Length), .. properties];
}
