using System.Net;
using System.Text;
using EdgeBroker.Transport.Proxies;

namespace EdgeBroker.Transport.Tests.Proxies;

/// <summary>Headers as proxies send them and as nobody should; each whole, at every cut and with something behind.</summary>
public sealed class ProxyHeaderTests
{
    // haproxy's send-proxy-v2 for 192.0.2.7:56324 to 198.51.100.1:1883, written down from the protocol's own text.
    private const string V2 = "0D0A0D0A000D0A515549540A 21 11 000C C0000207 C6336401 DC04 075B";

    private const string V2Signature = "0D0A0D0A000D0A515549540A";

    private const string Two6 = "20010DB8000000000000000000000007 20010DB8000000000000000000000001 DC04 075B";

    [Theory]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n", "192.0.2.7:56324")]
    [InlineData("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", "0.0.0.0:0")]
    [InlineData("PROXY TCP6 2001:db8::7 2001:db8::1 56324 1883\r\n", "[2001:db8::7]:56324")]
    [InlineData("PROXY TCP6 2001:DB8:0:0:0:0:0:7 ::1 1 2\r\n", "[2001:db8::7]:1")]
    [InlineData("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", "[::ffff:192.0.2.7]:1")]
    [InlineData(
        "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535")]
    [InlineData("PROXY UNKNOWN\r\n", null)]
    [InlineData("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", null)]
    [InlineData("PROXY UNKNOWN whatever\ra\nb it says\r\n", null)]
    public void Lines(string line, string? source) => Accepts(Encoding.ASCII.GetBytes(line), source);

    [Theory]
    [InlineData(V2, "192.0.2.7:56324")]
    [InlineData(V2Signature + "21 21 0024" + Two6, "[2001:db8::7]:56324")]
    // AWS's load balancer adds its endpoint's id, haproxy a checksum, padding and the name asked for.
    [InlineData(V2Signature + "21 11 0020 C0000207 C6336401 DC04 075B EA 0006 01 7670636531 03 0004 00000000 04 0001 00", "192.0.2.7:56324")]
    [InlineData(V2Signature + "21 21 0027" + Two6 + "04 0000", "[2001:db8::7]:56324")]
    // Health checks of the proxy itself, with and without a block that is to be skipped whatever it holds.
    [InlineData(V2Signature + "20 00 0000", null)]
    [InlineData(V2Signature + "20 FF 0003 FFFFFF", null)]
    [InlineData(V2Signature + "20 11 000C C0000207 C6336401 DC04 075B", null)]
    // A family that is not known.
    [InlineData(V2Signature + "21 00 0000", null)]
    [InlineData(V2Signature + "21 00 0005 0102030405", null)]
    public void Binary_headers(string hex, string? source) => Accepts(Hex(hex), source);

    [Fact]
    public void A_client_at_the_proxy_s_Unix_socket_has_no_address() => Accepts([.. Hex(V2Signature + "21 31 00D8"), .. new byte[216]], null);

    [Fact]
    public void The_longest_header_is_read() =>
        Accepts([.. Hex(V2Signature + "21 11 0800 C0000207 C6336401 DC04 075B 04 07F1"), .. new byte[2033]], "192.0.2.7:56324");

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n", 0)]
    [InlineData("PROXZ", 4)]
    [InlineData("proxy TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n", 0)]
    [InlineData("PROXY  TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n")]
    [InlineData("PROXY TCP4  192.0.2.7 198.51.100.1 56324 1883\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883 \r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883 x\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n")]
    [InlineData("PROXY TCP4\t192.0.2.7\t198.51.100.1\t56324\t1883\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\n\r\n")]
    [InlineData("PROXY TCP4 192.0.2.007 198.51.100.1 56324 1883\r\n")]
    [InlineData("PROXY TCP4 192.0.2.256 198.51.100.1 56324 1883\r\n")]
    [InlineData("PROXY TCP4 192.0.2 198.51.100.1 56324 1883\r\n")]
    [InlineData("PROXY TCP4 0xC0000207 198.51.100.1 56324 1883\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1.9 56324 1883\r\n")]
    [InlineData("PROXY TCP4 2001:db8::7 2001:db8::1 56324 1883\r\n")]
    [InlineData("PROXY TCP6 192.0.2.7 198.51.100.1 56324 1883\r\n")]
    [InlineData("PROXY TCP6 [2001:db8::7] ::1 56324 1883\r\n")]
    [InlineData("PROXY TCP6 fe80::1%1 ::1 56324 1883\r\n")]
    [InlineData("PROXY TCP6 2001:db8:::7 ::1 56324 1883\r\n")]
    [InlineData("PROXY TCP6 12001:db8::7 ::1 56324 1883\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 056324 1883\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 65536 1883\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 -1 1883\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 +1 1883\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 56324 99999999999999999999\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 56324\0 1883\r\n")]
    [InlineData("PROXY TCP6 ::ffff:192.0.2.07 ::1 1 2\r\n")]
    [InlineData("PROXY TCP4 192.0.2.7\0 198.51.100.1 56324 1883\r\n")]
    [InlineData("PROXY UDP4 192.0.2.7 198.51.100.1 56324 1883\r\n")]
    [InlineData("PROXY UNKNOWNTCP4 192.0.2.7\r\n")]
    [InlineData("PROXY \r\n")]
    [InlineData("PROXY \u0661.0.0.1 1.0.0.1 1 1\r\n")]
    public void Lines_that_are_none(string line, int decidedAt = -1) => Refuses(Encoding.UTF8.GetBytes(line), decidedAt);

    [Fact]
    public void A_line_without_an_end_is_refused_at_its_longest()
    {
        byte[] line = Encoding.ASCII.GetBytes("PROXY UNKNOWN " + new string('x', 200));
        Assert.Equal(ProxyHeaderStatus.Incomplete, ProxyHeader.TryRead(line.AsSpan(0, 106), out _, out _, out _));
        Refuses(line, 106);
        Accepts([.. line[..105], (byte)'\r', (byte)'\n'], null);
    }

    [Theory]
    // Version 1 and 3, commands 2 and 15.
    [InlineData(V2Signature + "11 11 000C C0000207 C6336401 DC04 075B", 15)]
    [InlineData(V2Signature + "31 11 000C C0000207 C6336401 DC04 075B", 15)]
    [InlineData(V2Signature + "22 11 000C C0000207 C6336401 DC04 075B", 15)]
    [InlineData(V2Signature + "2F 11 000C C0000207 C6336401 DC04 075B", 15)]
    // Datagrams, and families nobody has defined.
    [InlineData(V2Signature + "21 12 000C C0000207 C6336401 DC04 075B", 15)]
    [InlineData(V2Signature + "21 10 000C C0000207 C6336401 DC04 075B", 15)]
    [InlineData(V2Signature + "21 01 000C C0000207 C6336401 DC04 075B", 15)]
    [InlineData(V2Signature + "21 41 000C C0000207 C6336401 DC04 075B", 15)]
    // No room for its addresses; above the bound; an extension past the end, or cut off.
    [InlineData(V2Signature + "21 11 000B C0000207 C6336401 DC04 07", 15)]
    [InlineData(V2Signature + "21 21 000C C0000207 C6336401 DC04 075B", 15)]
    [InlineData(V2Signature + "21 11 0801", 15)]
    [InlineData(V2Signature + "20 00 FFFF", 15)]
    [InlineData(V2Signature + "21 11 000F C0000207 C6336401 DC04 075B 04 0001", -1)]
    [InlineData(V2Signature + "21 11 000D C0000207 C6336401 DC04 075B 04", -1)]
    [InlineData("0D0A0D0A000D0A515549540B", 11)]
    // A client that connects without the proxy.
    [InlineData("100C00044D5154540402003C0000", 0)]
    [InlineData("1603010200", 0)]
    [InlineData("00", 0)]
    public void Binary_headers_that_are_none(string hex, int decidedAt) => Refuses(Hex(hex), decidedAt);

    [Fact]
    public void What_comes_instead_is_named_with_the_cure()
    {
        Assert.Contains("but MQTT; have the proxy send one (haproxy: send-proxy-v2)", Cause([0x10]), StringComparison.Ordinal);
        Assert.Contains("but TLS;", Cause([0x16]), StringComparison.Ordinal);
        Assert.Contains("2049 bytes are announced, above 2048; check what stands in front", Cause(Hex(V2Signature + "21 11 0801")), StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_comes_it_answers_and_never_changes_its_mind()
    {
        byte[][] seeds =
        [
            Hex(V2),
            Hex(V2Signature + "21 21 0027" + Two6 + "04 0000"),
            "PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n"u8.ToArray(),
            "PROXY TCP6 2001:db8::7 ::1 1 2\r\n"u8.ToArray(),
        ];
        var random = new Random(20_260_101);
        int complete = 0;
        for (int round = 0; round < 100_000; round++)
        {
            byte[] bytes = [.. seeds[random.Next(seeds.Length)], 0x10, 0x0C];
            for (int changes = random.Next(1, 4); changes > 0; changes--)
            {
                bytes[random.Next(bytes.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : seeds[2][random.Next(seeds[2].Length)];
            }

            ProxyHeaderStatus status = ProxyHeader.TryRead(bytes, out int length, out IPEndPoint? source, out string cause);
            Assert.Equal(status == ProxyHeaderStatus.Malformed, cause.Length > 0);
            Assert.True(
                status == ProxyHeaderStatus.Complete ? length > 0 && length <= bytes.Length : length == 0 && source is null, Convert.ToHexString(bytes));
            complete += status == ProxyHeaderStatus.Complete ? 1 : 0;
            int cut = random.Next(bytes.Length);
            ProxyHeaderStatus before = ProxyHeader.TryRead(bytes.AsSpan(0, cut), out int shorter, out _, out _);
            if (before != ProxyHeaderStatus.Incomplete) Assert.True(before == status && shorter == length, $"cut at {cut}: {Convert.ToHexString(bytes)}");
        }

        Assert.InRange(complete, 1_000, 99_000);
    }

    private static void Accepts(byte[] header, string? source)
    {
        for (int length = 0; length < header.Length; length++)
        {
            ProxyHeaderStatus early = ProxyHeader.TryRead(header.AsSpan(0, length), out _, out _, out string why);
            Assert.True(early == ProxyHeaderStatus.Incomplete, $"at {length}: {early} {why}");
        }

        foreach (byte[] bytes in new[] { header, [.. header, 0x10, 0x0D, 0x0A], [.. header, .. header] })
        {
            ProxyHeaderStatus status = ProxyHeader.TryRead(bytes, out int consumed, out IPEndPoint? read, out string cause);
            Assert.Equal((ProxyHeaderStatus.Complete, header.Length, source, ""), (status, consumed, read?.ToString(), cause));
        }

        Assert.True(header.Length <= ProxyHeader.MaxBytes);
    }

    private static void Refuses(byte[] bytes, int decidedAt)
    {
        Assert.Equal(ProxyHeaderStatus.Malformed, ProxyHeader.TryRead(bytes, out _, out IPEndPoint? source, out string cause));
        Assert.Null(source);
        Assert.NotEmpty(cause);
        if (decidedAt < 0) return;
        Assert.Equal(ProxyHeaderStatus.Malformed, ProxyHeader.TryRead(bytes.AsSpan(0, decidedAt + 1), out _, out _, out _));
        Assert.Equal(ProxyHeaderStatus.Incomplete, ProxyHeader.TryRead(bytes.AsSpan(0, decidedAt), out _, out _, out _));
    }

    private static string Cause(byte[] bytes)
    {
        ProxyHeader.TryRead(bytes, out _, out _, out string cause);
        return cause;
    }

    private static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));
}
