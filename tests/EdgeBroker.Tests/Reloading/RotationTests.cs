using System.Globalization;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Tests.Reloading;

/// <summary>Users, rules and certificates are replaced again and again while a plant goes on working.</summary>
[Collection(Alone.Name)]
public sealed class RotationTests
{
    private const int Rounds = 100;
    private const int Publishers = 200;
    private const int SecureEach = 10;
    private const int GuestEach = 5;

    private readonly SemaphoreSlim[] _received = [.. Enumerable.Range(0, Publishers).Select(_ => new SemaphoreSlim(0))];
    private readonly int[] _next = new int[Publishers];
    private readonly string _kept = BrokerInProcess.User("press") + BrokerInProcess.User("reader");
    private BrokerInProcess _broker = null!;
    private volatile bool _stop;

    [Fact]
    public async Task Nobody_who_is_allowed_is_dropped_and_no_message_is_lost()
    {
        await using var broker = new BrokerInProcess();
        _broker = broker;
        Assert.Equal(0, _broker.Run(TextWriter.Null, TextWriter.Null, "cert", "ca"));
        Rotate(0);
        _broker.Start();
        await _broker.AnswersAsync();
        TestClient subscriber = await _broker.ConnectAsync("reader", "reader");
        await subscriber.SubscribeAsync("load/#", options: 1);
        // Verified once, remembered for all: more than a few at a time of one address would not be heard.
        await _broker.ConnectAsync("first", "press");
        TestClient[] publishers = await Task.WhenAll(Enumerable.Range(0, Publishers).Select(ConnectPublisherAsync));
        Task reading = ReadAsync(subscriber);
        Task[] publishing = [.. publishers.Select((client, i) => PublishAsync(client, i))];

        Task rotating = RotateAllAsync();
        // The others go on until they are told; one that ends by itself has failed, and says why.
        await await Task.WhenAny([rotating, reading, .. publishing]);
        Assert.True(rotating.IsCompletedSuccessfully);
        _stop = true;
        await Task.WhenAll(publishing);
        TestClient last = await _broker.ConnectAsync("last", "press");
        await last.PublishAsync("load/end", "", qos: 1);
        await Deadline.Within(reading, "the last message");

        foreach (TestClient client in publishers) await client.ExpectNothingAsync();
        await subscriber.ExpectNothingAsync();
        Assert.DoesNotContain("needs a restart", _broker.Log, StringComparison.Ordinal);
        Assert.All(_next, count => Assert.True(count > 0));
    }

    private async Task RotateAllAsync()
    {
        string lastSerial = "";
        for (int round = 1; round <= Rounds; round++)
        {
            // In by the round before, out by this one: one whose user goes, one whose rule does. Verifying a new password takes its time where everybody is
            // busy.
            TestClient? guest = round % GuestEach == 0 ? await _broker.ConnectAsync("guest", Guest(round - 1)) : null;
            TestClient curious = await _broker.ConnectAsync("curious", "reader");
            await curious.SubscribeAsync(Topic(round - 1));
            Rotate(round);
            _broker.Apply();
            if (guest is not null) await guest.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
            await curious.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
            if (round % SecureEach != 0) continue;
            (TestClient secure, string serial) = await _broker.OpenTlsAsync(_broker.Port("mqtts"));
            await secure.DisposeAsync();
            Assert.NotEqual(lastSerial, serial);
            lastSerial = serial;
        }
    }

    /// <summary>Replaces all files, as a round has them.</summary>
    private void Rotate(int round)
    {
        using var ignored = new StringWriter();
        Assert.True(_broker.Run(ignored, ignored, "cert", "server", "localhost", "--force") == 0, ignored.ToString());
        _broker.Directory.Write("users", _kept + BrokerInProcess.User(Guest(round)));
        _broker.Configure($"""
            [auth]
            password_file = "users"
            watch_password_file = false
            [[acl]]
            allow = ["publish", "subscribe"]
            topics = ["load/#", "{Topic(round)}"]
            [limits]
            # Where everybody is busy, those who come in may take long.
            connect_timeout = "2m"
            [[listener]]
            protocol = "mqtt"
            address = "127.0.0.1:0"
            allow_anonymous = false
            max_connections = {1000 + round}
            [[listener]]
            protocol = "mqtts"
            address = "127.0.0.1:0"
            allow_anonymous = false
            [listener.tls]
            cert = "certs/server.crt"
            key = "certs/server.key"
            handshake_timeout = "2m"
            """);
    }

    private async Task<TestClient> ConnectPublisherAsync(int i)
    {
        if (i % SecureEach != 0) return await _broker.ConnectAsync("press-" + Show(i), "press");
        (TestClient client, _) = await _broker.OpenTlsAsync(_broker.Port("mqtts"), "press-" + Show(i));
        await client.SendAsync(client.Packets.Connect("press-" + Show(i), userName: "press", password: "geheim"u8.ToArray()));
        await client.ExpectConnackAsync();
        return client;
    }

    // One at a time, each when the one before has come out at the other end: no queue fills, whoever is slow.
    private async Task PublishAsync(TestClient client, int i)
    {
        for (int n = 0; !_stop; n++)
        {
            await client.PublishAsync("load/" + Show(i), Show(n), qos: 1);
            await Deadline.Within(_received[i].WaitAsync(), $"message {n} of publisher {i}");
        }
    }

    private async Task ReadAsync(TestClient subscriber)
    {
        while (true)
        {
            ReceivedPacket message = await subscriber.ExpectAsync(PacketType.Publish);
            await subscriber.AcknowledgeAsync(message);
            if (message.Topic == "load/end") return;
            int i = int.Parse(message.Topic["load/".Length..], CultureInfo.InvariantCulture);
            Assert.Equal(Show(_next[i]++), message.PayloadText);
            _received[i].Release();
        }
    }

    private static string Guest(int round) => "guest-" + Show(round);

    private static string Topic(int round) => "round/" + Show(round);

    private static string Show(int number) => number.ToString(CultureInfo.InvariantCulture);
}
