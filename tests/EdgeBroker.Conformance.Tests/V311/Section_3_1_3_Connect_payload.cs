using EdgeBroker.Core.Security;

namespace EdgeBroker.Conformance.Tests.V311;

/// <summary>The payload of CONNECT (3.1.3).</summary>
public sealed class Section_3_1_3_Connect_payload
{
    [Fact]
    [Requirement("MQTT-3.1.3-5", "3.1.1")]
    public async Task Client_ids_that_must_be_accepted_are()
    {
        const string all = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        await using var broker = new TestBroker();
        foreach (char one in all) await broker.JoinAsync(one.ToString(), sessionPresent: false);
        for (int length = 2; length <= 23; length++) await broker.JoinAsync(all[..length], sessionPresent: false);
        Assert.Equal(all.Length + 22, broker.Events.Count(Testing.BrokerEventKind.Connected));
        Assert.Equal(0, broker.Events.Count(Testing.BrokerEventKind.Disconnected));
    }

    [Fact]
    [Requirement("MQTT-3.1.3-6", "3.1.1")]
    public async Task An_empty_client_id_is_given_one_of_its_own()
    {
        await using var broker = new TestBroker();
        TestClient one = await broker.JoinAsync("", sessionPresent: false);
        TestClient two = await broker.JoinAsync("", sessionPresent: false);
        await one.SubscribeAsync("a");
        await two.PublishAsync("a", "to the other");
        await one.ExpectPublishAsync("a", "to the other");
        string[] ids = [.. broker.Events.All.Where(happened => happened.Kind == BrokerEventKind.Connected).Select(happened => happened.ClientId!)];
        Assert.Equal(2, ids.Distinct().Count());
        Assert.DoesNotContain("", ids);
    }

    [Fact]
    [Requirement("MQTT-3.1.3-8", "3.1.1")]
    public async Task An_empty_client_id_cannot_keep_a_session()
    {
        await using var broker = new TestBroker();
        TestClient client = await broker.OpenAsync(ProtocolVersion.V311);
        await client.SendAsync(Check.Packets.Connect("", cleanStart: false));
        await client.ExpectAsync([0x20, 2, 0, 2]);
        await client.ExpectClosedAsync();
    }

    [Fact]
    [Requirement("MQTT-3.1.3-9", "3.1.1")]
    public async Task A_refused_client_id_is_told_0x02()
    {
        await using var broker = new TestBroker(new TestBrokerOptions { Authenticator = new Refusing(ReasonCode.ClientIdentifierNotValid) });
        TestClient client = await broker.OpenAsync(ProtocolVersion.V311);
        await client.SendAsync(Check.Packets.Connect("unwanted"));
        await client.ExpectAsync([0x20, 2, 0, 2]);
        await client.ExpectClosedAsync();
    }
}

/// <summary>Lets nobody in.</summary>
internal sealed class Refusing(ReasonCode reason) : IAuthenticator
{
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation) =>
        ValueTask.FromResult(AuthenticationResult.Refused(reason));
}
