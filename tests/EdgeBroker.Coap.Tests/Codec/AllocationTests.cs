using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Testing;

namespace EdgeBroker.Coap.Tests.Codec;

[Collection(Alone.Name)]
public sealed class AllocationTests
{
    private const int Rounds = 10_000;

    [Fact]
    public void Reading_and_writing_a_message_allocate_nothing()
    {
        byte[] datagram = Hex.Bytes("48 03 7d 34 0102030405060708 b2 7073 05 706c616e74 11 32 d1 0a 7f ff 01020304");
        byte[] reply = new byte[128];
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < Rounds; i++) ReadAndWrite(datagram, reply);
        }));
    }

    private static void ReadAndWrite(byte[] datagram, byte[] reply)
    {
        if (CoapMessage.Parse(datagram, out CoapMessage message) != CoapFormatError.None) throw new InvalidOperationException("the vector is wrong");
        int bytes = 0;
        foreach (CoapOption option in message.Options) bytes += option.Value.Length;
        var writer = new CoapWriter(reply, CoapType.Acknowledgement, CoapCode.Changed, message.MessageId, message.Token);
        writer.Add(OptionNumber.MaxAge, message.Find(OptionNumber.ContentFormat) ?? 0);
        writer.AddPayload(message.Payload);
        if (bytes + writer.Length == 0) throw new InvalidOperationException("nothing was read");
    }
}
