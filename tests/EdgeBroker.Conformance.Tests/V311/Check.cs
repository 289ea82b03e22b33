using System.Text;

namespace EdgeBroker.Conformance.Tests.V311;

/// <summary>Steps and checks that many sections share.</summary>
internal static class Check
{
    /// <summary>The packets of MQTT 3.1.1.</summary>
    public static Packets Packets => Packets.V311;

    /// <summary>A client of MQTT 3.1.1, let in.</summary>
    public static Task<TestClient> JoinAsync(
        this TestBroker broker, string clientId, bool clean = true, TestWill? will = null, int keepAliveSeconds = 0, bool? sessionPresent = null) =>
        broker.ConnectAsync(clientId, ProtocolVersion.V311, clean, keepAliveSeconds, properties: null, will, sessionPresent);

    /// <summary>A client that has subscribed to one filter.</summary>
    public static async Task<TestClient> SubscriberAsync(this TestBroker broker, string filter, int qos = 0, string clientId = "subscriber", bool clean = true)
    {
        TestClient subscriber = await broker.JoinAsync(clientId, clean);
        await subscriber.SubscribeAsync(filter, qos);
        return subscriber;
    }

    /// <summary>A connected client that sends this is cut off without another word, and others are not.</summary>
    public static async Task CutsOffAsync(byte[] packet)
    {
        await using var broker = new TestBroker();
        TestClient other = await broker.JoinAsync("other");
        TestClient client = await broker.JoinAsync("one");
        await client.SendAsync(packet);
        await client.ExpectClosedAsync();
        await other.ExpectNothingAsync();
    }

    /// <summary>A connection that begins with this is closed without CONNACK.</summary>
    public static async Task ClosesSilentlyAsync(byte[] connect, TestBrokerOptions? options = null)
    {
        await using var broker = new TestBroker(options);
        TestClient client = await broker.OpenAsync(ProtocolVersion.V311);
        await client.SendAsync(connect);
        await client.ExpectClosedAsync();
    }

    /// <summary>A CONNECT with just these flags and payload; the keep alive is 0.</summary>
    public static byte[] Connect(int flags, params byte[] payload) => Wire.Packet(0x10, [.. Wire.Text("MQTT"), 4, (byte)flags, 0, 0, .. payload]);

    /// <summary>The same message, from a publisher that comes and goes.</summary>
    public static async Task PublishAsync(this TestBroker broker, string topic, string payload, int qos = 0, bool retain = false)
    {
        TestClient publisher = await broker.JoinAsync("publisher for a moment");
        await publisher.PublishAsync(topic, payload, qos, retain);
        await publisher.DisconnectAsync();
    }

    /// <summary>A topic of that many levels.</summary>
    public static string Levels(int count) => string.Join('/', Enumerable.Repeat("l", count));

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
