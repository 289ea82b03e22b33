namespace EdgeBroker.Coap.Tests.Rig;

/// <summary>Bytes as tests write them.</summary>
internal static class Hex
{
    /// <summary>Bytes of hexadecimal digits; blanks do not count.</summary>
    public static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
