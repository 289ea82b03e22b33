using EdgeBroker.Core.Security;

namespace EdgeBroker.Conformance.Tests.V5;

public sealed class Section_3_1_4_Connect_actions
{
    [Fact]
    [Requirement("MQTT-3.1.4-2")]
    [Requirement("MQTT-4.12.0-4")]
    public async Task A_client_that_is_not_let_in_is_told_and_disconnected()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { AllowAnonymous = false });
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("one"));
        await client.ExpectRefusedAsync(ReasonCode.NotAuthorized);
        Assert.Null(broker.Broker.FindSession("one"));
        await using var strict = new TestBroker(new TestBrokerOptions { Authenticator = new Gatekeeper() });
        client = await strict.OpenAsync();
        await client.SendAsync(client.Packets.Connect("one", userName: "u", password: [1]));
        await client.ExpectRefusedAsync(ReasonCode.BadUserNameOrPassword);
        client = await strict.OpenAsync();
        await client.SendAsync(client.Packets.Connect("one", userName: "u", password: [1, 2]));
        await client.ExpectConnackAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.4-2")]
    public async Task A_refused_CONNECT_does_not_disturb_the_session()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = new Gatekeeper() });
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("one", userName: "u", password: [1, 2]));
        await client.ExpectConnackAsync();
        TestClient intruder = await broker.OpenAsync();
        await intruder.SendAsync(intruder.Packets.Connect("one", userName: "u", password: [9]));
        await intruder.ExpectRefusedAsync(ReasonCode.BadUserNameOrPassword);
        await client.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Requirement("MQTT-3.1.4-3")]
    public async Task The_older_connection_is_told_and_closed(bool cleanStart)
    {
        await using var broker = new TestBroker();
        TestClient old = await Check.SubscriberAsync(broker, "a", 1, "one", Prop.SessionExpiry(100));
        TestClient fresh = await broker.ConnectAsync("one", cleanStart: cleanStart, properties: Prop.SessionExpiry(100), sessionPresent: !cleanStart);
        await old.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
        TestClient publisher = await broker.ConnectAsync("publisher");
        await publisher.PublishAsync("a", "x", 1);
        if (!cleanStart) await fresh.AcknowledgeAsync(await fresh.ExpectPublishAsync("a", "x", 1));
        await fresh.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.4-3")]
    public async Task The_older_connection_can_do_nothing_any_more()
    {
        await using var broker = new TestBroker();
        TestClient watcher = await Check.SubscriberAsync(broker, "#", 0, "watcher");
        TestClient old = await Check.SubscriberAsync(broker, "a", 1, "one", Prop.SessionExpiry(100));
        await watcher.PublishAsync("a", "open", 1);
        await watcher.ExpectPublishAsync("a", "open");
        ReceivedPacket open = await old.ExpectPublishAsync("a", "open", 1);
        TestClient fresh = await broker.ConnectAsync("one", cleanStart: false, properties: Prop.SessionExpiry(100), sessionPresent: true);
        // Whatever it still says, after it was taken over, goes unheard.
        await old.SendAsync(
            old.Packets.Puback(open.PacketId),
            old.Packets.Publish("ghost", "x", retain: true),
            old.Packets.Unsubscribe(9, "a"),
            old.Packets.Subscribe(10, "b", 1),
            old.Packets.Disconnect(properties: Prop.SessionExpiry(0)));
        await old.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
        await fresh.AcknowledgeAsync(await fresh.ExpectPublishAsync("a", "open", 1, dup: true));
        await watcher.ExpectNothingAsync();
        await watcher.PublishAsync("b", "1", 1);
        await watcher.PublishAsync("a", "2", 1);
        await fresh.ExpectPublishAsync("a", "2", 1);
        await fresh.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_session_that_ends_with_its_connection_is_not_taken_over_but_ended()
    {
        await using var broker = new TestBroker();
        TestClient old = await Check.SubscriberAsync(broker, "a", 1, "one");
        TestClient fresh = await broker.ConnectAsync("one", cleanStart: false, properties: Prop.SessionExpiry(100), sessionPresent: false);
        await old.ExpectDisconnectAsync(ReasonCode.SessionTakenOver);
        await fresh.PublishAsync("a", "x", 1);
        await fresh.ExpectNothingAsync();
        Assert.Equal(1, broker.Broker.ConnectedCount);
    }

    [Fact]
    [Requirement("MQTT-3.1.4-5")]
    [Requirement("MQTT-3.2.2-1")]
    [Requirement("MQTT-3.2.2-2")]
    public async Task A_valid_CONNECT_is_answered_with_CONNACK()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect("one"));
        byte[] grants = [.. Prop.ReceiveMaximum(100), .. Prop.MaximumPacketSize(16 * 1024 * 1024), .. Prop.TopicAliasMaximum(32)];
        await client.ExpectAsync(client.Packets.Connack(false, 0, grants));
        await client.ExpectNothingAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.4-6")]
    [Requirement("MQTT-3.2.2-7")]
    [Requirement("MQTT-3.14.0-1")]
    public async Task After_a_refusal_nothing_more_is_processed()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = new Gatekeeper() });
        TestClient client = await broker.OpenAsync();
        await client.SendAsync([
            .. client.Packets.Connect("one"), .. client.Packets.Publish("a", "x", 1, 1, retain: true), .. client.Packets.Subscribe(2, "a"),
            .. client.Packets.Connect("one", userName: "u", password: [1, 2])]);
        await client.ExpectRefusedAsync(ReasonCode.BadUserNameOrPassword);
        Assert.Equal(0, broker.Broker.Retained.Count);
        Assert.Equal(0, broker.Broker.SessionCount);
    }

    [Fact]
    [Requirement("MQTT-3.2.0-1")]
    public async Task What_is_sent_before_CONNACK_waits_for_it()
    {
        var late = new LateGatekeeper();
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = late });
        TestClient client = await broker.OpenAsync();
        await client.SendAsync(
            [.. client.Packets.Connect("one"), .. client.Packets.Subscribe(1, "a", 1), .. client.Packets.Publish("a", "x", 1, 2), .. Packets.Pingreq()]);
        await Deadline.Within(late.Asked.Task, "the authenticator to be asked");
        late.Verdict.SetResult();
        await client.ExpectConnackAsync();
        await client.ExpectAsync(client.Packets.Suback(1, 1), client.Packets.Publish("a", "x", 1, 1), client.Packets.Puback(2), Packets.Pingresp());
    }

    [Fact]
    public async Task An_authenticator_that_does_not_answer_in_time_lets_nobody_in()
    {
        var late = new LateGatekeeper();
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = late });
        TestClient client = await broker.OpenAsync();
        broker.Advance(9);
        await client.SendAsync(client.Packets.Connect("one"));
        await client.TakenAsync();
        broker.Advance(9);
        broker.Advance(1);
        await client.ExpectRefusedAsync(ReasonCode.ServerUnavailable);
        late.Verdict.SetResult();
        Assert.Equal(0, broker.Broker.SessionCount);
    }

    /// <summary>Lets in who knows the password 1, 2.</summary>
    private sealed class Gatekeeper : IAuthenticator
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation) => ValueTask.FromResult(
            request.Password is [1, 2]
                ? new AuthenticationResult(ReasonCode.Success, request.UserName, Permissions.All)
                : AuthenticationResult.Refused(ReasonCode.BadUserNameOrPassword));
    }

    /// <summary>Lets everybody in, but only when told to.</summary>
    private sealed class LateGatekeeper : IAuthenticator
    {
        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Verdict { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation)
        {
            Asked.TrySetResult();
            await Verdict.Task;
            return new AuthenticationResult(ReasonCode.Success, null, Permissions.All);
        }
    }
}
