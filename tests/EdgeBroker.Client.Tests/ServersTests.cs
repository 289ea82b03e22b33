using System.Threading.Channels;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client.Tests;

/// <summary>Several servers, and credentials that are asked for.</summary>
public sealed class ServersTests
{
    private static readonly ReconnectOptions Soon = new() { FirstDelay = TimeSpan.FromMilliseconds(1), LongestDelay = TimeSpan.FromMilliseconds(2) };

    [Fact]
    public async Task The_next_server_stands_in_and_the_first_is_gone_back_to()
    {
        using var first = new FakeServer();
        using var second = new FakeServer();
        var primary = new SwitchedTransport(first.Transport);
        await using var client = new MqttClient(new MqttClientOptions
        {
            Transport = primary,
            OtherServers = [second.Transport],
            ClientId = "c",
            Version = ProtocolVersion.V311,
            Reconnect = Soon,
            FailBackInterval = TimeSpan.FromMilliseconds(20),
        });
        primary.IsDown = true;
        Task<ConnectResult> connecting = client.ConnectAsync();
        using FakeConnection standIn = await second.AcceptAsync("20 02 00 00");
        await connecting.Within();
        primary.IsDown = false;
        // The look whether it is there again, and then the client itself.
        using FakeConnection look = await first.AcceptAsync();
        await standIn.ExpectAsync("e0 00");
        standIn.Dispose();
        using FakeConnection back = await first.AcceptAsync("20 02 00 00");
        await Deadline.UntilAsync(() => client.Granted is not null, "the client is back");
        Task leaving = client.DisconnectAsync();
        await back.ExpectAsync("e0 00");
        back.Dispose();
        await leaving.Within();
    }

    [Fact]
    public void Turns_are_taken_at_once_and_waits_come_after_a_round()
    {
        IClientTransport[] servers = [.. Enumerable.Range(1, 3).Select(i => new TcpTransport("s" + i))];
        var rotation = new ServerRotation(servers, ServerOrder.PrimaryFirst);
        rotation.Failed();
        Assert.Equal((1, false), (rotation.Index, rotation.IsRoundOver));
        rotation.Failed();
        Assert.Equal((2, false), (rotation.Index, rotation.IsRoundOver));
        rotation.Failed();
        Assert.Equal((0, true), (rotation.Index, rotation.IsRoundOver));
        rotation.Failed();
        Assert.Equal((1, false), (rotation.Index, rotation.IsRoundOver));
        rotation.Connected();
        Assert.True(rotation.MayFailBack);
        rotation.Lost();
        Assert.Equal((1, true), (rotation.Index, rotation.IsRoundOver));
        rotation.FailBack();
        Assert.Equal((0, false), (rotation.Index, rotation.IsRoundOver));
    }

    [Fact]
    public void In_turns_the_next_follows_each_loss()
    {
        var rotation = new ServerRotation([new TcpTransport("a"), new TcpTransport("b")], ServerOrder.RoundRobin);
        rotation.Connected();
        rotation.Lost();
        Assert.Equal((1, false), (rotation.Index, rotation.MayFailBack));
        rotation.Lost();
        Assert.Equal(0, rotation.Index);
    }

    [Fact]
    public async Task When_no_server_answers_connecting_fails_with_the_last_ones_words()
    {
        using var one = new DeafPort();
        using var other = new DeafPort();
        await using var client = new MqttClient(new MqttClientOptions { Transport = one.Transport, OtherServers = [other.Transport] });
        MqttException failure = await Assert.ThrowsAsync<MqttException>(() => client.ConnectAsync().Within());
        Assert.Contains(other.Transport.Description, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_are_asked_for_before_each_attempt()
    {
        using var server = new FakeServer();
        int asked = 0;
        await using var client = new MqttClient(new MqttClientOptions
        {
            Transport = server.Transport,
            ClientId = "c",
            Version = ProtocolVersion.V311,
            Reconnect = Soon,
            Credentials = _ => ValueTask.FromResult(new ClientCredentials("u", [(byte)('0' + ++asked)])),
        });
        client.Start();
        using (FakeConnection refused = await server.AcceptAsync())
        {
            await refused.ExpectAsync("10 13 0004 4d515454 04 c2 003c 0001 63 0001 75 0001 31");
            await refused.SendAsync("20 02 00 04");
        }

        using FakeConnection taken = await server.AcceptAsync();
        await taken.ExpectAsync("10 13 0004 4d515454 04 c2 003c 0001 63 0001 75 0001 32");
    }

    [Fact]
    public async Task All_messages_are_read_as_one_stream_that_ends_with_the_client()
    {
        using var server = new FakeServer();
        await using var client = new MqttClient(new MqttClientOptions { Transport = server.Transport, ClientId = "c", Version = ProtocolVersion.V311 });
        Task<ConnectResult> connecting = client.ConnectAsync();
        using FakeConnection connection = await server.AcceptAsync("20 02 00 00");
        await connecting.Within();
        var read = Channel.CreateUnbounded<string>();
        Task reading = Task.Run(async () =>
        {
            await foreach (ReceivedMessage message in client.ReceiveAllAsync()) read.Writer.TryWrite(message.TopicText);
            read.Writer.Complete();
        });
        await connection.SendAsync("30 03 0001 61 32 05 0001 62 0007");
        Assert.Equal("a", await read.Reader.ReadAsync().AsTask().WaitAsync(Deadline.Time));
        Assert.Equal("b", await read.Reader.ReadAsync().AsTask().WaitAsync(Deadline.Time));
        await connection.ExpectAsync("40 02 0007");
        Task leaving = client.DisconnectAsync();
        await connection.ExpectAsync("e0 00");
        connection.Dispose();
        await leaving.Within();
        await reading.Within();
        Assert.False(await read.Reader.WaitToReadAsync().AsTask().WaitAsync(Deadline.Time));
    }

    [Fact]
    public async Task The_stream_of_messages_ends_with_the_failure_behind_the_last_message()
    {
        using var server = new FakeServer();
        await using var client = new MqttClient(new MqttClientOptions { Transport = server.Transport, ClientId = "c", Version = ProtocolVersion.V311 });
        Task<ConnectResult> connecting = client.ConnectAsync();
        using FakeConnection connection = await server.AcceptAsync("20 02 00 00");
        await connecting.Within();
        await connection.SendAsync("30 03 0001 61");
        connection.Dispose();
        var topics = new List<string>();
        await Assert.ThrowsAsync<MqttException>(async () =>
        {
            await foreach (ReceivedMessage message in client.ReceiveAllAsync()) topics.Add(message.TopicText);
        }).Within();
        Assert.Equal(["a"], topics);
    }

    private sealed class SwitchedTransport(IClientTransport inner) : IClientTransport
    {
        private volatile bool _isDown;

        public bool IsDown
        {
            get => _isDown;
            set => _isDown = value;
        }

        public string Description => inner.Description;

        public ValueTask<Stream> OpenAsync(CancellationToken cancellationToken) =>
            IsDown ? throw new IOException("the test has switched it off") : inner.OpenAsync(cancellationToken);
    }
}
