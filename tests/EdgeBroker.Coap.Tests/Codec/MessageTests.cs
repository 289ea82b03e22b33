using System.Text;
using CsCheck;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Tests.Rig;

namespace EdgeBroker.Coap.Tests.Codec;

public sealed class MessageTests
{
    /// <summary>Bytes, and what is wrong with them.</summary>
    public static TheoryData<string, CoapFormatError> Vectors => new()
    {
        { "40 01 7d 34 bb 74656d7065726174757265", CoapFormatError.None },
        { "60 45 7d 34 ff 32322e332043", CoapFormatError.None },
        { "48 01 00 01 0102030405060708", CoapFormatError.None },
        { "40 00 12 34", CoapFormatError.None },
        { "70 00 12 34", CoapFormatError.None },
        { "", CoapFormatError.TooShort },
        { "40 01 7d", CoapFormatError.TooShort },
        { "00 01 7d 34", CoapFormatError.UnknownVersion },
        { "80 01 7d 34", CoapFormatError.UnknownVersion },
        { "c0 01 7d 34", CoapFormatError.UnknownVersion },
        { "49 01 7d 34 010203040506070809", CoapFormatError.ReservedTokenLength },
        { "4f 01 7d 34 0102030405060708090a0b0c0d0e0f", CoapFormatError.ReservedTokenLength },
        { "44 01 7d 34 010203", CoapFormatError.TruncatedToken },
        { "41 00 7d 34 01", CoapFormatError.EmptyWithMore },
        { "40 00 7d 34 ff01", CoapFormatError.EmptyWithMore },
        { "41 00 7d 34", CoapFormatError.EmptyWithMore },
        { "40 21 7d 34", CoapFormatError.ReservedCodeClass },
        { "40 c1 7d 34", CoapFormatError.ReservedCodeClass },
        { "40 e2 7d 34", CoapFormatError.ReservedCodeClass },
        { "40 01 7d 34 f0", CoapFormatError.ReservedOptionNibble },
        { "40 01 7d 34 f1 00 00", CoapFormatError.ReservedOptionNibble },
        { "40 01 7d 34 1f 00", CoapFormatError.ReservedOptionNibble },
        { "40 01 7d 34 b4 616263", CoapFormatError.TruncatedOption },
        { "40 01 7d 34 d0", CoapFormatError.TruncatedOption },
        { "40 01 7d 34 e0 00", CoapFormatError.TruncatedOption },
        { "40 01 7d 34 1d", CoapFormatError.TruncatedOption },
        { "40 01 7d 34 e0 fef2", CoapFormatError.None },
        { "40 01 7d 34 e0 fef3", CoapFormatError.OptionNumberTooLarge },
        { "40 01 7d 34 e0 fef2 10", CoapFormatError.OptionNumberTooLarge },
        { "40 01 7d 34 ff", CoapFormatError.EmptyPayload },
        { "40 01 7d 34 b1 61 ff", CoapFormatError.EmptyPayload },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void A_datagram_is_read_or_refused_for_what_is_wrong(string hex, CoapFormatError error)
    {
        byte[] datagram = Hex.Bytes(hex);
        Assert.Equal(error, CoapMessage.Parse(datagram, out _));
        NaiveMessage.Compare(datagram);
    }

    [Fact]
    public void What_is_wrong_leaves_type_and_message_id_for_a_reset()
    {
        Assert.Equal(CoapFormatError.ReservedOptionNibble, CoapMessage.Parse(Hex.Bytes("40 01 7d 34 f0"), out CoapMessage message));
        Assert.Equal(CoapType.Confirmable, message.Type);
        Assert.Equal(0x7d34, message.MessageId);
    }

    [Fact]
    public void Options_are_slices_of_the_datagram()
    {
        CoapMessage.Parse(Hex.Bytes("40 01 7d 34 bb 74656d7065726174757265 61 32 ff 01"), out CoapMessage message);
        Assert.True(message.TryFind(OptionNumber.UriPath, out CoapOption path));
        Assert.Equal("temperature", Encoding.UTF8.GetString(path.Value));
        Assert.Equal(0x32u, message.Find(OptionNumber.Accept));
        Assert.Null(message.Find(OptionNumber.Observe));
        Assert.Equal([1], message.Payload.ToArray());
    }

    [Fact]
    public void What_is_written_reads_the_same() => Messages.Sample(
        one =>
        {
            byte[] datagram = Write(one);
            (CoapFormatError error, NaiveMessage? naive) = NaiveMessage.Read(datagram);
            Assert.Equal(CoapFormatError.None, error);
            Assert.Equal((one.Type, one.Code, one.MessageId), (naive!.Type, naive.Code, naive.MessageId));
            Assert.Equal(one.Token, naive.Token);
            Assert.Equal(one.Payload, naive.Payload);
            Assert.Equal(one.Options.Select(o => o.Number), naive.Options.Select(o => o.Number));
            Assert.Equal(one.Options.SelectMany(o => o.Value), naive.Options.SelectMany(o => o.Value));
            NaiveMessage.Compare(datagram);
        },
        iter: 2_000);

    [Fact]
    public void Any_change_to_a_message_is_read_as_the_slow_reader_reads_it() =>
        Gen.Select(Messages, Gen.Int[0, 4_000], Gen.Byte, Gen.Int[0, 3]).Sample(
            (one, at, value, change) =>
            {
                var bytes = new List<byte>(Write(one));
                int place = at % bytes.Count;
                switch (change)
                {
                    case 0: bytes[place] = value; break;
                    case 1: bytes.RemoveRange(place, bytes.Count - place); break;
                    case 2: bytes.Insert(place, value); break;
                    default: bytes.RemoveAt(place); break;
                }

                NaiveMessage.Compare([.. bytes]);
            },
            iter: 20_000);

    [Fact]
    public void Any_bytes_are_read_as_the_slow_reader_reads_them() =>
        Gen.Byte.Array[0, 40].Sample(bytes => NaiveMessage.Compare([(byte)((bytes.FirstOrDefault() & 0x3F) | 0x40), .. bytes]), iter: 50_000);

    [Fact]
    public void A_writer_takes_options_in_their_order_only() => Assert.Throws<ArgumentException>(() =>
    {
        var writer = new CoapWriter(new byte[100], CoapType.Confirmable, CoapCode.Get, 1, default);
        writer.Add(OptionNumber.Accept, 0);
        writer.Add(OptionNumber.UriPath, "a"u8);
    });

    [Fact]
    public void A_writer_does_not_write_beyond_its_memory() => Assert.Throws<ArgumentException>(() =>
    {
        var writer = new CoapWriter(new byte[10], CoapType.Confirmable, CoapCode.Get, 1, default);
        writer.AddPayload("123456"u8);
    });

    [Theory]
    [InlineData(0u, 0, false, 0)]
    [InlineData(0x0Au, 0, true, 2)]
    [InlineData(0xFFFFF6u, (1 << 20) - 1, false, 6)]
    public void A_block_says_number_more_and_size(uint value, int number, bool more, int exponent)
    {
        Assert.True(Block.TryRead(value, out Block block));
        Assert.Equal(new Block(number, more, exponent), block);
        Assert.Equal(value, block.Value);
    }

    [Fact]
    public void The_reserved_block_size_is_refused() => Assert.False(Block.TryRead(7, out _));

    [Theory]
    [InlineData(16, 0)]
    [InlineData(511, 4)]
    [InlineData(512, 5)]
    [InlineData(4096, 6)]
    public void The_largest_block_below_a_size(int bytes, int exponent) => Assert.Equal(exponent, Block.ExponentOf(bytes));

    [Theory]
    [InlineData("application/json; charset=utf-8", 50)]
    [InlineData("Text/Plain", 0)]
    [InlineData("application/senml+cbor", 112)]
    public void A_media_type_has_a_format(string mediaType, int format) => Assert.Equal((ushort)format, ContentFormats.FormatOf(mediaType));

    [Fact]
    public void Every_format_is_that_of_its_media_type()
    {
        foreach (int format in new[] { 0, 40, 41, 42, 50, 60, 110, 112 })
        {
            Assert.Equal((ushort)format, ContentFormats.FormatOf(ContentFormats.MediaTypeOf(format)));
        }

        Assert.Null(ContentFormats.FormatOf("image/png"));
        Assert.Null(ContentFormats.MediaTypeOf(11_542));
    }

    [Theory]
    [InlineData(OptionNumber.ETag, 0, false)]
    [InlineData(OptionNumber.ETag, 8, true)]
    [InlineData(OptionNumber.ETag, 9, false)]
    [InlineData(OptionNumber.IfNoneMatch, 1, false)]
    [InlineData(OptionNumber.Block1, 4, false)]
    [InlineData((OptionNumber)9, 0, false)]
    public void A_value_has_the_length_its_option_allows(OptionNumber number, int length, bool isWellFormed) =>
        Assert.Equal(isWellFormed, OptionTable.IsWellFormed((int)number, length));

    private static Gen<NaiveMessage> Messages =>
        from type in Gen.Int[0, 3]
        from code in Gen.OneOf(Gen.Int[1, 31], Gen.Int[64, 95], Gen.Int[128, 191])
        from id in Gen.Int[0, 65_535]
        from token in Gen.Byte.Array[0, 8]
        from options in Gen.Select(Gen.OneOf(Gen.Int[0, 30], Gen.Int[0, 65_535]), Gen.OneOf(Gen.Byte.Array[0, 20], Gen.Byte.Array[250, 300])).List[0, 6]
        from payload in Gen.Byte.Array[0, 30]
        select new NaiveMessage(type, code, id, token, [.. options.OrderBy(o => o.Item1)], payload);

    private static byte[] Write(NaiveMessage message)
    {
        byte[] bytes = new byte[4_000];
        var writer = new CoapWriter(bytes, (CoapType)message.Type, new CoapCode((byte)message.Code), (ushort)message.MessageId, message.Token);
        foreach ((int number, byte[] value) in message.Options) writer.Add(number, value);
        writer.AddPayload(message.Payload);
        return bytes[..writer.Length];
    }
}
