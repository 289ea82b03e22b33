using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Transport.Tests.Tls;

/// <summary>Where records begin and end.</summary>
public sealed class TlsRecordTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("16030100", 0)]
    [InlineData("1603010001", 6)]
    [InlineData("17030348000000", 5 + 0x4800)]
    [InlineData("1703034801", TlsRecord.Malformed)]
    [InlineData("1703030000", TlsRecord.Malformed)]
    [InlineData("1302000010", TlsRecord.Malformed)]
    [InlineData("1902000010", TlsRecord.Malformed)]
    [InlineData("1602000010", TlsRecord.Malformed)]
    public void The_header_tells_the_length(string bytes, int expected) => Assert.Equal(expected, TlsRecord.LengthOf(Convert.FromHexString(bytes)));

    [Theory]
    [InlineData("", 0, 0)]
    [InlineData("160301000201", 0, 7)]
    [InlineData("16030100020102", 7, 0)]
    [InlineData("1603010001011403030001", 6, 6)]
    [InlineData("160301000101140303000101" + "17", 12, 0)]
    [InlineData("160301000101FF", 6, 0)]
    [InlineData("160301000101FF03030001", TlsRecord.Malformed, TlsRecord.Malformed)]
    public void Whole_records_are_cut(string bytes, int whole, int next)
    {
        Assert.Equal(whole, TlsRecord.CutWhole(Convert.FromHexString(bytes), out int nextBytes));
        Assert.Equal(next, nextBytes);
    }
}
