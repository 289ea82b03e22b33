using EdgeBroker.Core.Security;

namespace EdgeBroker.Conformance.Tests.V311;

/// <summary>Handling errors (4.8), and the transport a server must have (7.1.1).</summary>
public sealed class Section_4_8_Errors
{
    public static TheoryData<string, byte[]> Violations => new()
    {
        { "packet type 0", [0x00, 0] },
        { "packet type 15", [0xF0, 0] },
        { "CONNACK", [0x20, 2, 0, 0] },
        { "SUBACK", [0x90, 3, 0, 1, 0] },
        { "UNSUBACK", [0xB0, 2, 0, 1] },
        { "PINGRESP", [0xD0, 0] },
        { "PINGREQ with a body", [0xC0, 1, 0] },
        { "DISCONNECT with a body", [0xE0, 1, 0] },
        { "PUBACK without identifier", [0x40, 0] },
        { "PUBACK with more than its identifier", [0x40, 3, 0, 1, 0] },
        { "PUBREL without identifier", [0x62, 1, 0] },
        { "a remaining length of five bytes", [0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F] },
        { "a publish shorter than its topic", [0x30, 3, 0, 5, (byte)'a'] },
        { "a publish without its identifier", [0x32, 3, 0, 1, (byte)'a'] },
    };

    [Theory]
    [MemberData(nameof(Violations))]
    [Requirement("MQTT-4.8.0-1", "3.1.1")]
    public async Task A_violation_closes_the_connection_it_came_on(string what, byte[] packet)
    {
        Assert.NotEmpty(what);
        await Check.CutsOffAsync(packet);
    }

    [Fact]
    [Requirement("MQTT-4.8.0-1", "3.1.1")]
    public async Task What_was_sent_before_a_violation_counts_and_what_comes_after_does_not()
    {
        await using var broker = new TestBroker();
        TestClient witness = await broker.SubscriberAsync("#");
        TestClient client = await broker.JoinAsync("one");
        await client.SendAsync([.. Check.Packets.Publish("a", "before"), 0xF0, 0, .. Check.Packets.Publish("a", "after")]);
        await client.ExpectClosedAsync();
        await witness.ExpectPublishAsync("a", "before");
        await witness.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-4.8.0-1", "3.1.1")]
    public async Task The_first_packet_is_CONNECT()
    {
        byte[][] others = [Packets.Pingreq(), Check.Packets.Publish("a", "unheard"), Check.Packets.Subscribe(1, "#"), Check.Packets.Disconnect()];
        foreach (byte[] packet in others)
        {
            await using var broker = new TestBroker();
            TestClient witness = await broker.SubscriberAsync("#");
            TestClient client = await broker.OpenAsync(ProtocolVersion.V311);
            await client.SendAsync(packet);
            await client.ExpectClosedAsync();
            await witness.ExpectNothingAsync();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Requirement("MQTT-4.8.0-2", "3.1.1")]
    public async Task An_error_within_the_broker_closes_the_connection(bool atOnce)
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = new Failing(atOnce) });
        TestClient other = await broker.JoinAsync("other");
        TestClient client = await broker.OpenAsync(ProtocolVersion.V311);
        await client.SendAsync(Check.Packets.Connect("unlucky"));
        await client.ExpectClosedAsync();
        await other.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-7.1.1-1", "3.1.1")]
    public async Task TCP_carries_it()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { OverSockets = true });
        TestClient subscriber = await broker.SubscriberAsync("a", 1);
        string[] texts = [.. Enumerable.Range(0, 50).Select(i => $"{i}")];
        TestClient publisher = await broker.JoinAsync("publisher");
        await publisher.SendByteByByteAsync(Check.Packets.Publish("a", "byte by byte", 1, 1));
        await publisher.ExpectAsync(Check.Packets.Puback(1));
        await subscriber.ExpectPublishAsync("a", "byte by byte", 1);
        foreach (string text in texts) await publisher.PublishAsync("a", text, 1);
        foreach (string text in texts) await subscriber.ExpectPublishAsync("a", text, 1);
    }

    private sealed class Failing(bool atOnce) : IAuthenticator
    {
        public async ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation)
        {
            if (request.ClientId == "other") return new AuthenticationResult(ReasonCode.Success, null, Permissions.All);
            if (!atOnce) await Task.Yield();
            throw new InvalidOperationException("the password file cannot be read");
        }
    }
}
