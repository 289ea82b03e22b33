namespace EdgeBroker.Conformance.Tests.V5;

/// <summary>Checks that many sections share.</summary>
internal static class Check
{
    /// <summary>A connected client that sends this is disconnected for that reason.</summary>
    public static async Task DisconnectsAsync(byte[] packet, ReasonCode reason)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.ConnectAsync("one");
        await client.SendAsync(packet);
        await client.ExpectDisconnectAsync(reason);
    }

    /// <summary>A CONNECT like this is refused for that reason.</summary>
    public static async Task RefusesAsync(byte[] connect, ReasonCode reason)
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(connect);
        await client.ExpectRefusedAsync(reason);
    }

    /// <summary>A client that has subscribed to one filter.</summary>
    public static async Task<TestClient> SubscriberAsync(
        TestBroker broker, string filter, int options = 0, string clientId = "subscriber", byte[]? properties = null)
    {
        TestClient subscriber = await broker.ConnectAsync(clientId, properties: properties);
        await subscriber.SubscribeAsync(filter, options);
        return subscriber;
    }
}
