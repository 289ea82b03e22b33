using EdgeBroker.Coap.Codec;

namespace EdgeBroker.Coap.Tests.Codec;

/// <summary>Reads a message as the RFC tells it, bit by bit and with copies: what the codec is compared with.</summary>
internal sealed record NaiveMessage(int Type, int Code, int MessageId, byte[] Token, List<(int Number, byte[] Value)> Options, byte[] Payload)
{
    public static (CoapFormatError Error, NaiveMessage? Message) Read(byte[] datagram)
    {
        if (datagram.Length < 4) return (CoapFormatError.TooShort, null);
        string bits = string.Concat(datagram[0].ToString("b8"));
        if (bits[..2] != "01") return (CoapFormatError.UnknownVersion, null);
        int type = Convert.ToInt32(bits[2..4], 2);
        int tokenLength = Convert.ToInt32(bits[4..], 2);
        int code = datagram[1];
        if (tokenLength >= 9) return (CoapFormatError.ReservedTokenLength, null);
        if (code == 0) return (datagram.Length == 4 && tokenLength == 0 ? CoapFormatError.None : CoapFormatError.EmptyWithMore, Bare(type, datagram));
        if (code / 32 is 1 or 6 or 7) return (CoapFormatError.ReservedCodeClass, null);
        var rest = new Queue<byte>(datagram.Skip(4));
        if (rest.Count < tokenLength) return (CoapFormatError.TruncatedToken, null);
        byte[] token = Take(rest, tokenLength);
        var options = new List<(int, byte[])>();
        int number = 0;
        while (rest.TryDequeue(out byte head))
        {
            if (head == 0xFF)
            {
                return rest.Count == 0
                    ? (CoapFormatError.EmptyPayload, null)
                    : (CoapFormatError.None, new NaiveMessage(type, code, (datagram[2] * 256) + datagram[3], token, options, [.. rest]));
            }

            int delta = head / 16;
            int length = head % 16;
            if (delta == 15 || length == 15) return (CoapFormatError.ReservedOptionNibble, null);
            foreach (bool isDelta in new[] { true, false })
            {
                ref int field = ref isDelta ? ref delta : ref length;
                if (field < 13) continue;
                int extra = field - 12;
                if (rest.Count < extra) return (CoapFormatError.TruncatedOption, null);
                byte[] more = Take(rest, extra);
                field = extra == 1 ? more[0] + 13 : (more[0] * 256) + more[1] + 269;
            }

            if (rest.Count < length) return (CoapFormatError.TruncatedOption, null);
            number += delta;
            if (number >= 65_536) return (CoapFormatError.OptionNumberTooLarge, null);
            options.Add((number, Take(rest, length)));
        }

        return (CoapFormatError.None, new NaiveMessage(type, code, (datagram[2] * 256) + datagram[3], token, options, []));
    }

    /// <summary>Compares the codec with this.</summary>
    public static void Compare(byte[] datagram)
    {
        (CoapFormatError error, NaiveMessage? naive) = Read(datagram);
        Assert.Equal(error, CoapMessage.Parse(datagram, out CoapMessage message));
        if (error != CoapFormatError.None) return;
        Assert.Equal(naive!.Type, (int)message.Type);
        Assert.Equal(naive.Code, message.Code.Value);
        Assert.Equal(naive.MessageId, message.MessageId);
        Assert.Equal(naive.Token, message.Token.ToArray());
        Assert.Equal(naive.Payload, message.Payload.ToArray());
        int i = 0;
        foreach (CoapOption option in message.Options)
        {
            Assert.Equal(naive.Options[i].Number, option.Number);
            Assert.Equal(naive.Options[i++].Value, option.Value.ToArray());
        }

        Assert.Equal(naive.Options.Count, i);
    }

    private static NaiveMessage Bare(int type, byte[] datagram) => new(type, 0, (datagram[2] * 256) + datagram[3], [], [], []);

    private static byte[] Take(Queue<byte> from, int count) => [.. Enumerable.Range(0, count).Select(_ => from.Dequeue())];
}
