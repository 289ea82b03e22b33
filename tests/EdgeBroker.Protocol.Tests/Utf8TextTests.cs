using EdgeBroker.Fuzz.Naive;
using EdgeBroker.Protocol.Tests.Vectors;

namespace EdgeBroker.Protocol.Tests;

/// <summary>UTF-8 encoded strings (1.5.4).</summary>
public class Utf8TextTests
{
    [Theory]
    [InlineData("", "nothing")]
    [InlineData("41", "ASCII")]
    [InlineData("01 1F 7F", "control characters, which are only discouraged")]
    [InlineData("C2 80", "U+0080")]
    [InlineData("DF BF", "U+07FF")]
    [InlineData("E0 A0 80", "U+0800")]
    [InlineData("ED 9F BF", "U+D7FF, last before the surrogates")]
    [InlineData("EE 80 80", "U+E000, first behind them")]
    [InlineData("EF BB BF", "U+FEFF")]
    [InlineData("EF BF BE", "U+FFFE, a noncharacter")]
    [InlineData("EF BF BF", "U+FFFF, a noncharacter")]
    [InlineData("EF B7 90", "U+FDD0, a noncharacter")]
    [InlineData("F0 90 80 80", "U+10000")]
    [InlineData("F4 8F BF BF", "U+10FFFF")]
    public void Every_scalar_value_but_one_is_text(string bytes, string what) => AssertValid(true, bytes, what);

    [Theory]
    [InlineData("00", "U+0000")]
    [InlineData("61 00 62", "U+0000 inside")]
    [InlineData("C0 80", "U+0000 overlong")]
    [InlineData("C0 AF", "slash overlong, 2 bytes")]
    [InlineData("C1 BF", "overlong, 2 bytes")]
    [InlineData("E0 80 AF", "slash overlong, 3 bytes")]
    [InlineData("E0 9F BF", "U+07FF overlong")]
    [InlineData("F0 80 80 AF", "slash overlong, 4 bytes")]
    [InlineData("F0 8F BF BF", "U+FFFF overlong")]
    [InlineData("ED A0 80", "U+D800, first high surrogate")]
    [InlineData("ED AF BF", "U+DBFF, last high surrogate")]
    [InlineData("ED B0 80", "U+DC00, first low surrogate")]
    [InlineData("ED BF BF", "U+DFFF, last low surrogate")]
    [InlineData("ED A0 BD ED B4 8C", "a surrogate pair (CESU-8)")]
    [InlineData("F4 90 80 80", "U+110000")]
    [InlineData("F5 80 80 80", "a lead byte beyond Unicode")]
    [InlineData("F8 88 80 80 80", "five bytes")]
    [InlineData("FE", "never a byte of UTF-8")]
    [InlineData("FF", "never a byte of UTF-8")]
    [InlineData("80", "a continuation alone")]
    [InlineData("C3", "one of two bytes")]
    [InlineData("E2 98", "two of three bytes")]
    [InlineData("F0 9F 94", "three of four bytes")]
    [InlineData("C3 41", "a lead byte and ASCII")]
    [InlineData("E2 98 41", "two of three bytes and ASCII")]
    public void Anything_else_is_not(string bytes, string what) => AssertValid(false, bytes, what);

    [Fact]
    public void No_byte_of_a_long_text_is_passed_over()
    {
        for (int length = 1; length <= 40; length++)
        {
            byte[] text = new byte[length];
            Array.Fill(text, (byte)0x7F);
            Assert.True(Utf8Text.IsValid(text));
            for (int at = 0; at < length; at++)
            {
                foreach (byte wrong in new byte[] { 0x00, 0x80, 0xFF })
                {
                    text[at] = wrong;
                    Assert.False(Utf8Text.IsValid(text), $"{wrong:X2} at {at} of {length}");
                }

                text[at] = 1;
                Assert.True(Utf8Text.IsValid(text));
            }
        }
    }

    [Fact]
    public void A_byte_order_mark_is_kept()
    {
        byte[] packet = Notation.Bytes("30 len {EF BB BF 61}");
        Assert.Equal(FrameStatus.Complete, Frame.Cut(packet, int.MaxValue, out Frame frame, out _));
        Assert.True(PublishPacket.TryParse(frame, ProtocolVersion.V311, out PublishPacket publish, out _));
        Assert.Equal([0xEF, 0xBB, 0xBF, 0x61], publish.Topic.ToArray());
    }

    [Fact]
    public void Every_sequence_of_two_bytes_is_judged_as_the_oracle_does() => AssertAgreement(65_536, 2);

    // Lead bytes of three and four bytes with every second and third byte; the fourth is a good one.
    [Fact]
    public void Every_beginning_of_a_longer_sequence_is_judged_as_the_oracle_does()
    {
        for (int lead = 0xE0; lead <= 0xF8; lead++)
        {
            for (int second = 0x70; second <= 0xC2; second++)
            {
                foreach (byte third in (byte[])[0x00, 0x7F, 0x80, 0xBF, 0xC0])
                {
                    AssertAgrees([(byte)lead, (byte)second, third]);
                    AssertAgrees([(byte)lead, (byte)second, third, 0x80]);
                }
            }
        }
    }

    private static void AssertAgreement(int count, int length)
    {
        for (int i = 0; i < count; i++) AssertAgrees([.. Enumerable.Range(0, length).Select(n => (byte)(i >> (8 * n)))]);
    }

    private static void AssertAgrees(byte[] text)
    {
        if (Utf8Text.IsValid(text) != NaiveUtf8.IsAllowed(text)) Assert.Fail($"The oracle thinks otherwise of {Convert.ToHexString(text)}");
    }

    // In short and in long text, since vectorised validation takes another path through long text.
    private static void AssertValid(bool expected, string bytes, string what)
    {
        byte[] text = Notation.Bytes(bytes);
        byte[] filler = [.. Enumerable.Repeat((byte)'x', 80)];
        Assert.True(Utf8Text.IsValid(text) == expected, what);
        Assert.True(Utf8Text.IsValid([.. filler, .. text]) == expected, $"{what}, at the end");
        Assert.True(Utf8Text.IsValid([.. text, .. filler]) == expected, $"{what}, at the start");
        Assert.True(NaiveUtf8.IsAllowed(text) == expected, $"{what}, says the oracle");
    }
}
