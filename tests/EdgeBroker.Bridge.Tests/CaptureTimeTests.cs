using System.Globalization;
using System.Text;
using System.Text.Json;
using EdgeBroker.Bridge.Routes;
using EdgeBroker.Core;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Bridge.Tests;

/// <summary>Messages tell the other side when they were published here.</summary>
public sealed class CaptureTimeTests
{
    private static readonly RouteOptions Out = new() { Local = "plant/#" };
    private static readonly DateTimeOffset At = new(2026, 5, 1, 12, 30, 15, 250, TimeSpan.Zero);

    [Theory]
    [InlineData("71.5", """{"time":"2026-05-01T12:30:15.250Z","topic":"plant/a","value":71.5}""")]
    [InlineData("""{"a":[1,true]}""", """{"time":"2026-05-01T12:30:15.250Z","topic":"plant/a","value":{"a":[1,true]}}""")]
    [InlineData("on", """{"time":"2026-05-01T12:30:15.250Z","topic":"plant/a","value":"on"}""")]
    [InlineData("1 2", """{"time":"2026-05-01T12:30:15.250Z","topic":"plant/a","value":"1 2"}""")]
    [InlineData("", """{"time":"2026-05-01T12:30:15.250Z","topic":"plant/a","value":""}""")]
    public void A_payload_is_wrapped_as_what_it_is(string payload, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(CapturedMessage.Wrap("plant/a"u8, Encoding.UTF8.GetBytes(payload), At)));

    [Fact]
    public void Bytes_are_wrapped_as_base64()
    {
        using JsonDocument wrapped = JsonDocument.Parse(CapturedMessage.Wrap("plant/\"a"u8, [0xFF, 0x00, 0x7F], At));
        Assert.Equal([0xFF, 0x00, 0x7F], wrapped.RootElement.GetProperty("base64").GetBytesFromBase64());
        Assert.Equal("plant/\"a", wrapped.RootElement.GetProperty("topic").GetString());
    }

    [Fact]
    public void JSON_that_is_too_deep_is_a_string()
    {
        string deep = new string('[', 1000) + new string(']', 1000);
        using JsonDocument wrapped = JsonDocument.Parse(CapturedMessage.Wrap("a"u8, Encoding.UTF8.GetBytes(deep), At));
        Assert.Equal(deep, wrapped.RootElement.GetProperty("value").GetString());
    }

    [Fact]
    public void The_time_of_the_first_broker_stays()
    {
        byte[] first = CapturedMessage.AppendTime([], At);
        Assert.Equal(first, CapturedMessage.AppendTime(first, At.AddDays(1)));
    }

    [Fact]
    public async Task What_has_waited_tells_when_it_was_published_and_not_when_it_went()
    {
        using var port = new FaultyProxy();
        var time = new FakeTimeProvider(At);
        var broker = new TestBroker(new TestBrokerOptions { OverSockets = true, Clock = new BrokerClock(time) });
        await using var local = new BridgedBroker("one", broker, Bridges.To(port.Port, Out) with { CaptureTime = CaptureTime.Property });
        await local.Part.StartAsync(CancellationToken.None);
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.PublishAsync("plant/a", "waits", 1);
        time.Advance(TimeSpan.FromMinutes(90));
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        await using TestClient far = await remote.ConnectAsync("far");
        await far.SubscribeAsync("plant/#", 1);
        port.Target = remote.Port;
        ReceivedPacket waited = await far.ExpectPublishAsync("plant/a", "waits", 1);
        await far.AcknowledgeAsync(waited);
        // To the second.
        Assert.InRange(TimeOf(waited) - At, TimeSpan.FromSeconds(-1), TimeSpan.FromSeconds(1));
        await near.PublishAsync("plant/a", "live", 1);
        ReceivedPacket live = await far.ExpectPublishAsync("plant/a", "live", 1);
        Assert.Equal(time.GetUtcNow(), TimeOf(live));
    }

    [Fact]
    public async Task A_message_that_is_too_long_with_its_time_is_dropped_and_counted()
    {
        await using var remote = new TestBroker(new TestBrokerOptions { OverSockets = true });
        RouteOptions narrow = Out with { MaximumPayloadBytes = 80 };
        await using BridgedBroker local = await BridgedBroker.StartAsync("one", Bridges.To(remote.Port, narrow) with { CaptureTime = CaptureTime.Json });
        await using TestClient far = await remote.ConnectAsync("far");
        await far.SubscribeAsync("plant/#", 1);
        await local.UntilConnectedAsync("up");
        await using TestClient near = await local.Test.ConnectAsync("near");
        await near.PublishAsync("plant/a", new string('x', 70), 1);
        await near.PublishAsync("plant/a", "1", 1);
        ReceivedPacket came = await far.ExpectAsync(PacketType.Publish);
        Assert.EndsWith("\"topic\":\"plant/a\",\"value\":1}", came.PayloadText, StringComparison.Ordinal);
        await local.UntilAsync("up", status => status.Dropped == 1);
    }

    private static DateTimeOffset TimeOf(ReceivedPacket packet) =>
        DateTimeOffset.Parse(packet.Properties.User.Single(one => one.Name == "edgebroker-time").Value, CultureInfo.InvariantCulture);
}
