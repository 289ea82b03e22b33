using System.Globalization;
using EdgeBroker.Testing;

namespace EdgeBroker.Hostile.Tests;

/// <summary>
/// A client that publishes at QoS 0, goes and is back at once, with its client id and a will: nothing of what it sent is lost or overtaken, and no will that it
/// has discarded goes out. <c>EDGEBROKER_RECONNECTS</c> makes it come back more often.
/// </summary>
public sealed class ReconnectTests
{
    private const int Burst = 4;

    private static readonly int Scale =
        int.TryParse(Environment.GetEnvironmentVariable("EDGEBROKER_RECONNECTS"), CultureInfo.InvariantCulture, out int times) ? times : 0;

    public enum Ending
    {
        /// <summary>DISCONNECT, and the connection is closed.</summary>
        Goodbye,

        /// <summary>The same, and it is closed by a reset.</summary>
        GoodbyeAndReset,

        /// <summary>The connection is closed without a word; there is no will.</summary>
        Silent,
    }

    [Theory]
    [InlineData(false, 1, Ending.Goodbye)]
    [InlineData(false, 1, Ending.GoodbyeAndReset)]
    [InlineData(false, 1, Ending.Silent)]
    [InlineData(false, 2, Ending.Goodbye)]
    [InlineData(false, 2, Ending.GoodbyeAndReset)]
    [InlineData(false, 2, Ending.Silent)]
    [InlineData(true, 1, Ending.Goodbye)]
    [InlineData(true, 1, Ending.GoodbyeAndReset)]
    [InlineData(true, 1, Ending.Silent)]
    [InlineData(true, 2, Ending.Goodbye)]
    [InlineData(true, 2, Ending.GoodbyeAndReset)]
    [InlineData(true, 2, Ending.Silent)]
    public async Task Nothing_is_lost_or_overtaken(bool isSecure, int processors, Ending ending)
    {
        await using Siege siege = await Siege.BeginAsync(
            tables: isSecure ? Siege.Listener("mqtts") : "",
            prepare: isSecure ? Siege.MakeCertificates : null,
            environment: new Dictionary<string, string> { ["DOTNET_PROCESSOR_COUNT"] = processors.ToString(CultureInfo.InvariantCulture) },
            scenario: $"reconnects (TLS {isSecure}, {processors}, {ending})");
        (int port, string? authority) = isSecure ? await siege.PlaceAsync("mqtts") : (siege.Port, null);
        await using TestClient subscriber = await siege.OpenAsync();
        await subscriber.SendAsync(subscriber.Packets.Connect("subscriber"));
        await subscriber.ExpectConnackAsync();
        await subscriber.SubscribeAsync("quick/#", options: 0);
        int times = Math.Max(isSecure ? 60 : 300, Scale);
        Task received = ExpectAllAsync(subscriber, times * Burst);
        Packets packets = Packets.V5;
        TestWill? will = ending == Ending.Silent ? null : new TestWill("quick/will", "gone");
        byte[] connect = packets.Connect("quick", will: will);
        for (int i = 0; i < times; i++)
        {
            byte[][] burst = [.. Enumerable.Range(i * Burst, Burst).Select(n => packets.Publish("quick/count", n.ToString(CultureInfo.InvariantCulture)))];
            byte[] last = ending == Ending.Silent ? [] : packets.Disconnect();
            using var visitor = new WebAttacker();
            await visitor.OpenAsync(port, authority);
            await visitor.SendAsync(connect);
            if (await FindNoConnackAsync(visitor) is { } cause) Assert.Fail($"visit {i} got no CONNACK: {cause}. The broker said at last:\n{siege.LastSaid}");
            await visitor.SendAsync([.. burst.SelectMany(b => b), .. last]);
            if (ending == Ending.GoodbyeAndReset) visitor.Reset();
        }

        // Its last connection may not be looked at yet either.
        await using TestClient fence = await siege.OpenAsync();
        await fence.SendAsync(fence.Packets.Connect("quick"));
        await fence.ExpectConnackAsync();
        await fence.SendAsync(fence.Packets.Publish("quick/end", ""));
        await received;
        await subscriber.ExpectPublishAsync("quick/end", "");
        await siege.EndAsync();
    }

    /// <summary>Why no CONNACK came; null: one did.</summary>
    private static async Task<string?> FindNoConnackAsync(WebAttacker visitor)
    {
        try
        {
            return (await visitor.ReceiveAsync()).Length > 0 ? null : visitor.End;
        }
        catch (TimeoutException)
        {
            return "nothing came for a minute, and the connection is open";
        }
    }

    private static async Task ExpectAllAsync(TestClient subscriber, int count)
    {
        for (int i = 0; i < count; i++) await subscriber.ExpectPublishAsync("quick/count", i.ToString(CultureInfo.InvariantCulture));
    }
}
