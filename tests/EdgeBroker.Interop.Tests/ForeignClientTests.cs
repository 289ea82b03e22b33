using System.Diagnostics;
using System.Security.Cryptography;
using EdgeBroker.Interop.Tests.Clients;

namespace EdgeBroker.Interop.Tests;

/// <summary>What every foreign client that can be driven has to live through, on both ends of a conversation and in both versions.</summary>
public abstract class ForeignClientTests(BrokerFixture broker) : IDisposable
{
    private readonly string _run = Guid.NewGuid().ToString("N")[..8];
    private readonly List<IForeignClient> _clients = [];

    protected abstract Task<IForeignClient> CreateAsync();

    public void Dispose() => _clients.ForEach(client => client.Dispose());

    [Theory]
    [MemberData(nameof(Versions.AllWithQoS), MemberType = typeof(Versions))]
    public async Task A_message_comes_through(string version, int qos)
    {
        (IForeignClient subscriber, IForeignClient publisher) = await PairAsync(version);
        Assert.Equal(qos, await subscriber.SubscribeAsync(Topic("+"), qos));
        await publisher.PublishAsync(new ForeignMessage(Topic("a"), "it works", qos));
        ForeignMessage received = await subscriber.MessageAsync();
        Assert.Equal((Topic("a"), "it works", qos, false), (received.Topic, received.Text, received.QoS, received.Retain));
    }

    [Theory]
    [MemberData(nameof(Versions.All), MemberType = typeof(Versions))]
    public async Task The_lower_QoS_of_publisher_and_subscription_holds(string version)
    {
        (IForeignClient subscriber, IForeignClient publisher) = await PairAsync(version);
        await subscriber.SubscribeAsync(Topic("at-least-once"), 1);
        await subscriber.SubscribeAsync(Topic("exactly-once"), 2);
        await publisher.PublishAsync(new ForeignMessage(Topic("at-least-once"), "lowered", 2));
        await publisher.PublishAsync(new ForeignMessage(Topic("exactly-once"), "as published", 1));
        Assert.Equal(1, (await subscriber.MessageAsync()).QoS);
        Assert.Equal(1, (await subscriber.MessageAsync()).QoS);
    }

    [Theory]
    [MemberData(nameof(Versions.All), MemberType = typeof(Versions))]
    public async Task An_ended_subscription_brings_nothing_more(string version)
    {
        (IForeignClient subscriber, IForeignClient publisher) = await PairAsync(version);
        await subscriber.SubscribeAsync(Topic("a"), 1);
        await subscriber.SubscribeAsync(Topic("fence"), 1);
        await subscriber.UnsubscribeAsync(Topic("a"));
        await publisher.PublishAsync(new ForeignMessage(Topic("a"), "unwanted", 1));
        await publisher.PublishAsync(new ForeignMessage(Topic("fence"), "", 1));
        Assert.Equal(Topic("fence"), (await subscriber.MessageAsync()).Topic);
    }

    [Theory]
    [MemberData(nameof(Versions.All), MemberType = typeof(Versions))]
    public async Task A_retained_message_waits_for_subscribers_until_it_is_cleared(string version)
    {
        (IForeignClient subscriber, IForeignClient publisher) = await PairAsync(version);
        await subscriber.SubscribeAsync(Topic("live"), 1);
        await publisher.PublishAsync(new ForeignMessage(Topic("live"), "kept", 1) { Retain = true });
        Assert.False((await subscriber.MessageAsync()).Retain);

        IForeignClient late = await ConnectAsync(version, "late");
        await late.SubscribeAsync(Topic("live"), 1);
        ForeignMessage retained = await late.MessageAsync();
        Assert.Equal(("kept", 1, true), (retained.Text, retained.QoS, retained.Retain));

        await publisher.PublishAsync(new ForeignMessage(Topic("live"), "", 1) { Retain = true });
        IForeignClient later = await ConnectAsync(version, "later");
        await later.SubscribeAsync(Topic("live"), 1);
        await publisher.PublishAsync(new ForeignMessage(Topic("live"), "fence", 1));
        Assert.Equal("fence", (await later.MessageAsync()).Text);
    }

    [Theory]
    [MemberData(nameof(Versions.All), MemberType = typeof(Versions))]
    public async Task A_will_is_published_when_the_connection_breaks(string version)
    {
        IForeignClient witness = await ConnectAsync(version, "witness");
        await witness.SubscribeAsync(Topic("will"), 2);
        IForeignClient mortal = await CreateTrackedAsync();
        await mortal.ConnectAsync(To(version, "mortal") with { Will = new ForeignMessage(Topic("will"), "gone", 1) { Retain = true } });
        mortal.Break();
        ForeignMessage will = await witness.MessageAsync();
        Assert.Equal(("gone", 1, false), (will.Text, will.QoS, will.Retain));

        IForeignClient late = await ConnectAsync(version, "late");
        await late.SubscribeAsync(Topic("will"), 1);
        ForeignMessage retained = await late.MessageAsync();
        Assert.Equal(("gone", true), (retained.Text, retained.Retain));
    }

    [Theory]
    [MemberData(nameof(Versions.All), MemberType = typeof(Versions))]
    public async Task A_goodbye_takes_the_will_along(string version)
    {
        IForeignClient witness = await ConnectAsync(version, "witness");
        await witness.SubscribeAsync(Topic("will"), 1);
        IForeignClient polite = await CreateTrackedAsync();
        await polite.ConnectAsync(To(version, "polite") with { Will = new ForeignMessage(Topic("will"), "gone", 1) });
        await polite.DisconnectAsync();
        await broker.GoneAsync(To(version, "polite").ClientId);
        await polite.ConnectAsync(To(version, "polite"));
        await polite.PublishAsync(new ForeignMessage(Topic("will"), "fence", 1));
        Assert.Equal("fence", (await witness.MessageAsync()).Text);
    }

    [Fact]
    public async Task A_will_waits_for_its_delay()
    {
        IForeignClient witness = await ConnectAsync(Versions.V5, "witness");
        await witness.SubscribeAsync(Topic("will"), 1);
        IForeignClient mortal = await CreateTrackedAsync();
        ForeignConnect connect =
            To(Versions.V5, "mortal") with { ExpirySeconds = 60, Will = new ForeignMessage(Topic("will"), "gone", 1), WillDelaySeconds = 1 };
        await mortal.ConnectAsync(connect);
        long broken = Stopwatch.GetTimestamp();
        mortal.Break();
        Assert.Equal("gone", (await witness.MessageAsync()).Text);
        // The broker counts in whole milliseconds, so that its second may be one shorter than ours.
        Assert.True(Stopwatch.GetElapsedTime(broken) >= TimeSpan.FromMilliseconds(999));
    }

    [Theory]
    [InlineData(Versions.V311, 1)]
    [InlineData(Versions.V311, 2)]
    [InlineData(Versions.V5, 1)]
    [InlineData(Versions.V5, 2)]
    public async Task A_kept_session_receives_what_came_meanwhile(string version, int qos)
    {
        ForeignConnect resuming = To(version, "sleeper") with { Clean = false, ExpirySeconds = 300 };
        IForeignClient sleeper = await CreateTrackedAsync();
        Assert.False(await sleeper.ConnectAsync(resuming));
        await sleeper.SubscribeAsync(Topic("news"), qos);
        await sleeper.DisconnectAsync();
        await broker.GoneAsync(resuming.ClientId);

        IForeignClient publisher = await ConnectAsync(version, "publisher");
        await publisher.BurstAsync(Topic("news"), qos, 3);

        Assert.True(await sleeper.ConnectAsync(resuming));
        foreach (string text in new[] { "0", "1", "2" })
        {
            ForeignMessage received = await sleeper.MessageAsync();
            Assert.Equal((text, qos), (received.Text, received.QoS));
        }

        await sleeper.DisconnectAsync();
        Assert.False(await sleeper.ConnectAsync(To(version, "sleeper")));
    }

    [Fact]
    public async Task Properties_arrive_as_they_were_sent()
    {
        (IForeignClient subscriber, IForeignClient publisher) = await PairAsync(Versions.V5);
        await subscriber.SubscribeAsync(Topic("a"), 1);
        (string, string)[] user = [("unit", "°C"), ("path", "first"), ("site", "hall 3"), ("path", "second")];
        await publisher.PublishAsync(new ForeignMessage(Topic("a"), "21.5", 1)
        {
            User = user,
            ContentType = "text/plain",
            ResponseTopic = Topic("answer"),
            Correlation = [0, 1, 2, 255],
            ExpirySeconds = 600,
            Format = 1,
        });
        ForeignMessage received = await subscriber.MessageAsync();
        Assert.Equal("21.5", received.Text);
        Assert.Equal(publisher.GroupsUserProperties ? [user[0], user[1], user[3], user[2]] : user, received.User);
        Assert.Equal("text/plain", received.ContentType);
        Assert.Equal(Topic("answer"), received.ResponseTopic);
        Assert.Equal([0, 1, 2, 255], received.Correlation!);
        Assert.InRange(received.ExpirySeconds!.Value, 540u, 600u);
        Assert.Equal(1, received.Format);
        Assert.Null(received.Identifiers);
    }

    [Fact]
    public async Task Subscription_identifiers_name_the_filters_that_matched()
    {
        (IForeignClient subscriber, IForeignClient publisher) = await PairAsync(Versions.V5);
        await subscriber.SubscribeAsync(Topic("+"), 1, identifier: 7);
        await subscriber.SubscribeAsync(Topic("#"), 1, identifier: 268_435_455);
        await publisher.PublishAsync(new ForeignMessage(Topic("a"), "both", 1));
        await publisher.PublishAsync(new ForeignMessage(Topic("a/b"), "one", 1));
        ForeignMessage both = await subscriber.MessageAsync();
        ForeignMessage one = await subscriber.MessageAsync();
        Assert.Equal([7u, 268_435_455u], both.Identifiers!.Order());
        Assert.Equal([268_435_455u], one.Identifiers!);
    }

    [Theory]
    [MemberData(nameof(Versions.All), MemberType = typeof(Versions))]
    public async Task A_shared_subscription_divides_the_messages(string version)
    {
        const int count = 20;
        IForeignClient[] members = [await ConnectAsync(version, "one"), await ConnectAsync(version, "two")];
        foreach (IForeignClient member in members)
        {
            await member.SubscribeAsync($"$share/{_run}/{Topic("work")}", 1);
            await member.SubscribeAsync(Topic("fence"), 1);
        }

        IForeignClient publisher = await ConnectAsync(version, "publisher");
        await publisher.BurstAsync(Topic("work"), 1, count);
        await publisher.PublishAsync(new ForeignMessage(Topic("fence"), "", 1));
        List<string> received = [];
        foreach (IForeignClient member in members)
        {
            int before = received.Count;
            ForeignMessage message;
            while ((message = await member.MessageAsync()).Topic != Topic("fence")) received.Add(message.Text);
            Assert.True(received.Count > before, "a member got nothing");
        }

        Assert.Equal(Enumerable.Range(0, count), received.Select(int.Parse).Order());
    }

    [Theory]
    [MemberData(nameof(Versions.All), MemberType = typeof(Versions))]
    public async Task A_megabyte_arrives_intact(string version)
    {
        (IForeignClient subscriber, IForeignClient publisher) = await PairAsync(version);
        await subscriber.SubscribeAsync(Topic("large"), 2);
        byte[] payload = RandomNumberGenerator.GetBytes(1024 * 1024);
        for (int qos = 0; qos <= 2; qos++)
        {
            await publisher.PublishAsync(new ForeignMessage(Topic("large"), payload, qos));
            Assert.Equal(SHA256.HashData(payload), SHA256.HashData((await subscriber.MessageAsync()).Payload));
        }
    }

    [Theory]
    [MemberData(nameof(Versions.All), MemberType = typeof(Versions))]
    public async Task Two_hundred_messages_at_once_arrive_exactly_once_and_in_order(string version)
    {
        const int count = 200;
        (IForeignClient subscriber, IForeignClient publisher) = await PairAsync(version);
        await subscriber.SubscribeAsync(Topic("burst"), 2);
        await publisher.BurstAsync(Topic("burst"), 2, count);
        await publisher.PublishAsync(new ForeignMessage(Topic("burst"), "fence", 2));
        List<string> received = [];
        while (received.Count == 0 || received[^1] != "fence") received.Add((await subscriber.MessageAsync()).Text);
        Assert.Equal([.. Enumerable.Range(0, count).Select(i => $"{i}"), "fence"], received);
    }

    private string Topic(string name) => $"{_run}/{name}";

    private ForeignConnect To(string version, string name) => new(broker.Port, version, $"{_run}-{name}");

    private async Task<(IForeignClient Subscriber, IForeignClient Publisher)> PairAsync(string version) =>
        (await ConnectAsync(version, "subscriber"), await ConnectAsync(version, "publisher"));

    private async Task<IForeignClient> ConnectAsync(string version, string name)
    {
        IForeignClient client = await CreateTrackedAsync();
        Assert.False(await client.ConnectAsync(To(version, name)));
        return client;
    }

    private async Task<IForeignClient> CreateTrackedAsync()
    {
        IForeignClient client = await CreateAsync();
        _clients.Add(client);
        return client;
    }
}
