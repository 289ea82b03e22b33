using System.Text;
using EdgeBroker.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Client.Tests;

public sealed class ConnectTests : IDisposable
{
    private readonly FakeServer _server = new();

    [Fact]
    public async Task Connect_311_is_these_bytes()
    {
        await using var client = new MqttClient(new MqttClientOptions
        {
            Transport = _server.Transport,
            Version = ProtocolVersion.V311,
            ClientId = "c",
            UserName = "u",
            Password = "p"u8.ToArray(),
            Will = new Will(new PublishMessage("w", "x"u8.ToArray()) { QoS = QoS.AtLeastOnce, Retain = true }),
        });
        Task<ConnectResult> connecting = client.ConnectAsync();
        using FakeConnection connection = await _server.AcceptAsync();
        await connection.ExpectAsync("10 19 0004 4d515454 04 ee 003c 0001 63 0001 77 0001 78 0001 75 0001 70");
        await connection.SendAsync("20 02 00 00");
        Assert.False((await connecting.Within()).SessionPresent);
        Task leaving = client.DisconnectAsync();
        await connection.ExpectAsync("e0 00");
        connection.Dispose();
        await leaving.Within();
        await client.Completion.Within();
    }

    [Fact]
    public async Task Connect_5_is_these_bytes_and_grants_are_read()
    {
        var properties = new MqttProperties();
        properties.AddUserProperty("a", "b");
        await using var client = new MqttClient(
            new MqttClientOptions { Transport = _server.Transport, SessionExpirySeconds = 10, MaximumPacketSizeBytes = 1000, Properties = properties });
        Task<ConnectResult> connecting = client.ConnectAsync();
        using FakeConnection connection = await _server.AcceptAsync();
        await connection.ExpectAsync("10 24 0004 4d515454 05 02 003c 17 11 0000000a 21 0064 27 000003e8 22 0010 26 0001 61 0001 62 0000");
        await connection.SendAsync("20 11 00 00 0e 12 0003 617867 13 0005 21 0007 24 01");
        ConnectResult granted = await connecting.Within();
        Assert.Equal(
            ("axg", TimeSpan.FromSeconds(5), (ushort)7, QoS.AtLeastOnce), (granted.ClientId, granted.KeepAlive, granted.ReceiveMaximum, granted.MaximumQoS));
        MqttException refused = await Assert.ThrowsAsync<MqttException>(() => client.PublishAsync(new PublishMessage("t", default) { QoS = QoS.ExactlyOnce }));
        Assert.Equal(ReasonCode.QoSNotSupported, refused.Reason);
    }

    [Theory]
    [InlineData(ProtocolVersion.V311, "20 02 00 04", ReasonCode.BadUserNameOrPassword, "password file")]
    [InlineData(ProtocolVersion.V311, "20 02 00 01", ReasonCode.UnsupportedProtocolVersion, "-V 5")]
    [InlineData(ProtocolVersion.V5, "20 09 00 87 06 1f 0003 6e6f21", ReasonCode.NotAuthorized, "\"no!\"")]
    [InlineData(ProtocolVersion.V5, "20 03 01 00 00", ReasonCode.ProtocolError, "clean start")]
    [InlineData(ProtocolVersion.V5, "30 03 00 01 74", ReasonCode.ProtocolError, "not CONNACK")]
    [InlineData(ProtocolVersion.V5, "f0 19 18 17 15 0004 6d657468 16 000d 30313233343536373839616263", ReasonCode.BadAuthenticationMethod, "several steps")]
    [InlineData(ProtocolVersion.V5, "48545450 2f312e31", ReasonCode.MalformedPacket, "not MQTT")]
    [InlineData(ProtocolVersion.V5, "20 ff ff ff 7f", ReasonCode.PacketTooLarge, "268435460 bytes")]
    public async Task A_refusal_names_reason_and_cure(ProtocolVersion version, string answer, ReasonCode reason, string text)
    {
        await using var client = new MqttClient(new MqttClientOptions { Transport = _server.Transport, Version = version, ClientId = "c" });
        Task<ConnectResult> connecting = client.ConnectAsync();
        using FakeConnection connection = await _server.AcceptAsync(answer);
        MqttException refused = await Assert.ThrowsAsync<MqttException>(connecting.Within);
        Assert.Equal(reason, refused.Reason);
        Assert.Contains(text, refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<MqttException>(client.Completion.Within);
        await connection.ExpectEndAsync();
    }

    [Fact]
    public async Task Nobody_listening_is_said()
    {
        using var deaf = new DeafPort();
        await using var client = new MqttClient(new MqttClientOptions { Transport = deaf.Transport });
        MqttException failure = await Assert.ThrowsAsync<MqttException>(() => client.ConnectAsync().Within());
        Assert.Contains("Nothing listens at tcp://127.0.0.1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_given_up()
    {
        var time = new FakeTimeProvider();
        await using var client = new MqttClient(new MqttClientOptions { Transport = _server.Transport, TimeProvider = time });
        Task<ConnectResult> connecting = client.ConnectAsync();
        using FakeConnection connection = await _server.AcceptAsync();
        await connection.ReadPacketAsync();
        time.Advance(TimeSpan.FromSeconds(30));
        MqttException failure = await Assert.ThrowsAsync<MqttException>(connecting.Within);
        Assert.Contains("did not answer within 30 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silence_is_asked_after_and_then_ends_the_connection()
    {
        TimeSpan interval = TimeSpan.FromSeconds(60), answerTime = TimeSpan.FromSeconds(30);
        var time = new WatchedTime();
        await using var client = new MqttClient(new MqttClientOptions { Transport = _server.Transport, TimeProvider = time });
        Task<ConnectResult> connecting = client.ConnectAsync();
        using FakeConnection connection = await _server.AcceptAsync("20 03 00 00 00");
        await connecting.Within();
        Assert.Equal(interval, await time.WaitAsync());
        Assert.Equal(answerTime, await time.AdvanceAsync());
        await connection.ExpectAsync("c0 00");
        await connection.SendAsync("d0 00 30 04 0001 74 00");
        await client.NextAsync();
        // Answered in time: what is left of the interval goes by, and it asks again.
        Assert.Equal(interval - answerTime, await time.AdvanceAsync());
        Assert.Equal(answerTime, await time.AdvanceAsync());
        await connection.ExpectAsync("c0 00");
        Assert.False(client.Completion.IsCompleted);
        await Deadline.UntilAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return client.Completion.IsCompleted;
            },
            "the client gives up");
        MqttException failure = await Assert.ThrowsAsync<MqttException>(() => client.Completion);
        Assert.Equal(ReasonCode.KeepAliveTimeout, failure.Reason);
    }

    [Theory]
    [InlineData("e0 09 8e 07 1f 0004 62796521", ReasonCode.SessionTakenOver, "\"bye!\"", "")]
    [InlineData("30 06 0001 74 02 2301", null, "", "")]
    [InlineData("30 07 0000 03 23 0001 41", ReasonCode.ProtocolError, "before it was set", "e0 01 82")]
    [InlineData("30 08 0001 74 03 23 0064 41", ReasonCode.TopicAliasInvalid, "agreed maximum", "e0 01 94")]
    [InlineData("c0 00", ReasonCode.ProtocolError, "Pingreq", "e0 01 82")]
    [InlineData("20 03 00 00 00", ReasonCode.ProtocolError, "Connack", "e0 01 82")]
    [InlineData("90 04 0001 00 00", ReasonCode.ProtocolError, "not made", "e0 01 82")]
    [InlineData("36 00", ReasonCode.MalformedPacket, "", "e0 01 81")]
    [InlineData("00 00", ReasonCode.MalformedPacket, "not MQTT", "e0 01 81")]
    [InlineData("30 ff ff ff ff 7f", ReasonCode.MalformedPacket, "not MQTT", "e0 01 81")]
    [InlineData("30 ff ff ff 7f", ReasonCode.PacketTooLarge, "at most", "e0 01 95")]
    [InlineData("32 06 0001 74 0001 00 32 06 0001 74 0002 00 32 06 0001 74 0003 00", ReasonCode.ReceiveMaximumExceeded, "Receive Maximum", "e0 01 93")]
    public async Task A_server_that_breaks_the_rules_is_told_and_left(string bytes, ReasonCode? reason, string text, string answer)
    {
        await using var client = new MqttClient(
            new MqttClientOptions { Transport = _server.Transport, ReceiveMaximum = 2, ReceiveMaximumTolerance = 0, AcknowledgeManually = true });
        Task<ConnectResult> connecting = client.ConnectAsync();
        using FakeConnection connection = await _server.AcceptAsync("20 03 00 00 00");
        await connecting.Within();
        await connection.SendAsync(bytes);
        if (reason is null) connection.Dispose();
        MqttException failure = await Assert.ThrowsAsync<MqttException>(client.Completion.Within);
        if (reason is null) return;
        Assert.Equal(reason, failure.Reason);
        Assert.Contains(text, failure.Message, StringComparison.Ordinal);
        if (answer.Length > 0) await connection.ExpectAsync(answer);
        await connection.ExpectEndAsync();
    }

    [Fact]
    public async Task Packets_may_come_byte_by_byte()
    {
        await using var client = new MqttClient(new MqttClientOptions { Transport = _server.Transport });
        Task<ConnectResult> connecting = client.ConnectAsync();
        using FakeConnection connection = await _server.AcceptAsync("20");
        foreach (byte b in Convert.FromHexString("03000000" + "300b0003612f6203230001" + "4142")) await connection.SendAsync([b]);
        await connecting.Within();
        ReceivedMessage message = await client.NextAsync();
        Assert.Equal(("a/b", "AB"), (message.TopicText, Encoding.UTF8.GetString(message.Payload.Span)));
    }

    public void Dispose() => _server.Dispose();
}
