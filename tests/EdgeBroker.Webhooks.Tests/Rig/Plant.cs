using EdgeBroker.Core;
using EdgeBroker.Core.Security;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Webhooks.Tests.Rig;

/// <summary>A broker with webhooks, on the system's clock unless a test brings one.</summary>
internal sealed class Plant : IAsyncDisposable
{
    public static readonly WebhookEventType[] All = [.. Enum.GetValues<WebhookEventType>().Where(type => type != WebhookEventType.Test)];

    private static readonly AclRule[] RuleList =
    [
        new() { Source = "broker.toml:61", Allows = false, Actions = AccessActions.Publish | AccessActions.Subscribe, Topics = [new AclPattern("secret/#")] },
        new()
        {
            Source = "broker.toml:65",
            Allows = true,
            Actions = AccessActions.Publish | AccessActions.Subscribe | AccessActions.Retain,
            Topics = [new AclPattern("#")],
        },
    ];

    private Plant(TestBroker broker, WebhookPart part)
    {
        Broker = broker;
        Part = part;
    }

    public TestBroker Broker { get; }

    public WebhookPart Part { get; }

    public WebhookState State => Part.States().Single();

    public static async Task<Plant> StartAsync(TimeProvider? time = null, params WebhookOptions[] options)
    {
        var rules = new Replaceable<AclRuleSet>(new AclRuleSet(RuleList, []));
        var broker = new TestBroker(new TestBrokerOptions { Authenticator = new GuestBook(rules) });
        var part = new WebhookPart(options, broker.Broker, "gw-017", "1.2.3", NullLogger.Instance, time ?? TimeProvider.System);
        await part.StartAsync(CancellationToken.None);
        return new Plant(broker, part);
    }

    public async Task<TestClient> ConnectAsync(string clientId, string? user = null, byte[]? properties = null, bool cleanStart = true)
    {
        TestClient client = await Broker.OpenAsync();
        await client.SendAsync(client.Packets.Connect(clientId, cleanStart, 60, properties, userName: user ?? clientId, password: "x"u8.ToArray()));
        await client.ExpectConnackAsync();
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        await Part.DisposeAsync();
        await Broker.DisposeAsync();
    }

    /// <summary>What a webhook is by default in these tests.</summary>
    public static WebhookOptions To(Uri url, params WebhookEventType[] events) =>
        new() { Name = "plant", Url = url, Events = events.Length > 0 ? events : All };
}
