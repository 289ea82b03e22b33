using EdgeBroker.Protocol.Tests.Vectors;

namespace EdgeBroker.Protocol.Tests;

/// <summary>Variable byte integers (1.5.5).</summary>
public class VariableByteIntegerTests
{
    [Theory]
    [InlineData(0u, "00")]
    [InlineData(1u, "01")]
    [InlineData(127u, "7F")]
    [InlineData(128u, "80 01")]
    [InlineData(321u, "C1 02")]
    [InlineData(16_383u, "FF 7F")]
    [InlineData(16_384u, "80 80 01")]
    [InlineData(2_097_151u, "FF FF 7F")]
    [InlineData(2_097_152u, "80 80 80 01")]
    [InlineData(268_435_455u, "FF FF FF 7F")]
    public void A_value_has_one_encoding(uint value, string encoding)
    {
        byte[] expected = Notation.Bytes(encoding);
        Span<byte> written = stackalloc byte[4];
        Assert.Equal(expected.Length, VariableByteInteger.Write(written, value));
        Assert.Equal(expected, written[..expected.Length].ToArray());
        Assert.Equal(expected.Length, VariableByteInteger.Length(value));
        Assert.Equal(expected.Length, VariableByteInteger.Read([.. expected, 0xFF], out uint read));
        Assert.Equal(value, read);
    }

    [Theory]
    [InlineData("80 00")]
    [InlineData("FF 00")]
    [InlineData("80 80 00")]
    [InlineData("81 80 00")]
    [InlineData("80 80 80 00")]
    [InlineData("80 80 80 80")]
    [InlineData("80 80 80 80 01")]
    [InlineData("FF FF FF FF 7F")]
    public void Padding_and_a_fifth_byte_are_malformed(string encoding) => Assert.Equal(-1, VariableByteInteger.Read(Notation.Bytes(encoding), out _));

    [Theory]
    [InlineData("")]
    [InlineData("80")]
    [InlineData("FF FF")]
    [InlineData("80 80 80")]
    public void Too_few_bytes_are_not_malformed_yet(string encoding) => Assert.Equal(0, VariableByteInteger.Read(Notation.Bytes(encoding), out _));

    [Fact]
    public void A_value_beyond_the_largest_cannot_be_written() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => VariableByteInteger.Write(new byte[8], VariableByteInteger.MaxValue + 1));
}
