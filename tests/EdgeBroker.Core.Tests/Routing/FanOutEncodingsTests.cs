using EdgeBroker.Core.Routing;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Routing;

public sealed class FanOutEncodingsTests
{
    [Fact]
    public void Every_form_is_what_the_codec_writes()
    {
        var encodings = new FanOutEncodings();
        foreach (int payloadBytes in (int[])[0, 10, 200, 5_000, 300_000, 20])
        {
            encodings.Begin();
            byte[] payload = new byte[payloadBytes];
            // Twice: made, and found.
            for (int form = 0; form < 24; form++)
            {
                ProtocolVersion version = form % 2 == 0 ? ProtocolVersion.V311 : ProtocolVersion.V5;
                var publish = new OutgoingPublish
                {
                    Topic = "topic/x"u8,
                    Payload = payload,
                    ForwardedProperties = new byte[] { (byte)PropertyId.PayloadFormatIndicator, 1 },
                    QoS = (QoS)(form / 2 % 3),
                    Retain = form / 6 % 2 == 0,
                    PacketId = 0x1234,
                };
                byte[] expected = new byte[publish.Length(version)];
                publish.Write(expected, version);
                byte[] actual = encodings.Get(publish with { PacketId = 0 }, version, out int packetIdAt).ToArray();
                Assert.Equal(publish.QoS == QoS.AtMostOnce, packetIdAt == 0);
                if (packetIdAt != 0) (actual[packetIdAt], actual[packetIdAt + 1]) = (0x12, 0x34);
                Assert.Equal(expected, actual);
            }
        }
    }
}
