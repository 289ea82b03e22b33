using System.Buffers;
using System.Threading.Channels;
using EdgeBroker.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Client.Tests;

public sealed class PacketConnectionTests : IDisposable
{
    private readonly FakeServer _server = new();

    private MqttClientOptions Options => new() { Transport = _server.Transport, Version = ProtocolVersion.V311, ClientId = "c", CleanStart = false };

    [Fact]
    public async Task Packet_identifiers_are_the_callers_own()
    {
        Task<PacketConnection> opening = PacketConnection.OpenAsync(Options);
        using FakeConnection server = await _server.AcceptAsync("20 02 01 00");
        await using PacketConnection connection = await opening.Within();
        Assert.True(connection.Granted.SessionPresent);
        var handler = new Recorder();
        Task<MqttException?> running = connection.RunAsync(handler, CancellationToken.None);
        // The second half of an exchange that an earlier life of the caller began.
        lock (connection.SyncRoot)
        {
            new AckPacket { Type = PacketType.Pubrel, PacketId = 0x1234 }.Write(connection.Output, connection.Version);
            connection.Commit();
        }

        await server.ExpectAsync("62 02 1234");
        await server.SendAsync("70 02 1234");
        Assert.Equal("70021234", await handler.NextAsync());
        connection.Close();
        await server.ExpectAsync("e0 00");
        server.Dispose();
        Assert.Null(await running.Within());
    }

    [Fact]
    public async Task A_packet_that_cannot_be_taken_yet_stays_unread_and_comes_again()
    {
        Task<PacketConnection> opening = PacketConnection.OpenAsync(Options);
        using FakeConnection server = await _server.AcceptAsync("20 02 00 00");
        await using PacketConnection connection = await opening.Within();
        var handler = new Recorder { IsClosed = true };
        Task<MqttException?> running = connection.RunAsync(handler, CancellationToken.None);
        await server.SendAsync("30 03 0001 74 30 04 0001 74 78");
        await handler.Offered.Within();
        Assert.False(handler.HasAny);
        handler.Open();
        Assert.Equal("3003000174", await handler.NextAsync());
        Assert.Equal("300400017478", await handler.NextAsync());
        server.Dispose();
        MqttException failure = (await running.Within())!;
        Assert.Equal(FailureLayer.Network, failure.Layer);
    }

    [Fact]
    public async Task A_server_that_takes_nothing_is_left_all_the_same()
    {
        var time = new FakeTimeProvider();
        Task<PacketConnection> opening = PacketConnection.OpenAsync(Options with { TimeProvider = time, KeepAliveSeconds = 0 });
        using FakeConnection server = await _server.AcceptAsync("20 02 00 00");
        await using PacketConnection connection = await opening.Within();
        Task<MqttException?> running = connection.RunAsync(new Recorder(), CancellationToken.None);
        lock (connection.SyncRoot)
        {
            // More than the sockets between the two hold.
            connection.Output.Write(new byte[64 << 20]);
            connection.Commit();
        }

        connection.Close();
        for (int i = 0; !running.IsCompleted && i < 15_000; i++)
        {
            time.Advance(TimeSpan.FromSeconds(0.25));
            // Real time for the sockets, between steps of the test's own clock.
            await Task.Delay(2);
        }

        Assert.NotNull(await running.Within());
    }

    [Fact]
    public async Task A_violation_found_by_the_handler_is_told_to_the_server()
    {
        Task<PacketConnection> opening = PacketConnection.OpenAsync(Options with { Version = ProtocolVersion.V5 });
        using FakeConnection server = await _server.AcceptAsync("20 03 00 00 00");
        await using PacketConnection connection = await opening.Within();
        Task<MqttException?> running = connection.RunAsync(new Recorder { Refusal = ReasonCode.TopicAliasInvalid }, CancellationToken.None);
        await server.SendAsync("30 04 0001 74 00");
        await server.ExpectAsync("e0 01 94");
        server.Dispose();
        Assert.Equal(ReasonCode.TopicAliasInvalid, (await running.Within())!.Reason);
    }

    [Fact]
    public async Task A_bridge_says_so_by_the_protocol_level()
    {
        Task<PacketConnection> opening = PacketConnection.OpenAsync(Options with { IsBridge = true, KeepAliveSeconds = 1 });
        using FakeConnection server = await _server.AcceptAsync();
        await server.ExpectAsync("10 0d 0004 4d515454 84 00 0001 0001 63");
        await server.SendAsync("20 02 00 00");
        await (await opening.Within()).DisposeAsync();
    }

    [Fact]
    public async Task A_name_that_is_unknown_is_told_from_a_server_that_is_not_there()
    {
        using var deaf = new DeafPort();
        MqttException refused = await Assert.ThrowsAsync<MqttException>(() => PacketConnection.OpenAsync(Options, deaf.Transport).Within());
        MqttException unknown = await Assert.ThrowsAsync<MqttException>(
            () => PacketConnection.OpenAsync(Options, new TcpTransport("no-such-host.invalid")).Within());
        Assert.Equal((FailureLayer.Network, FailureLayer.Name), (refused.Layer, unknown.Layer));
    }

    public void Dispose() => _server.Dispose();

    private sealed class Recorder : IPacketHandler
    {
        private readonly Channel<string> _packets = Channel.CreateUnbounded<string>();
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _offered = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsClosed { get; init; }

        public ReasonCode? Refusal { get; init; }

        public Task Offered => _offered.Task;

        public bool HasAny => _packets.Reader.Count > 0;

        public void Open() => _open.TrySetResult();

        public Task<string> NextAsync() => _packets.Reader.ReadAsync().AsTask().WaitAsync(Deadline.Time);

        public bool TryReceive(in Frame frame, ReadOnlySpan<byte> packet)
        {
            _offered.TrySetResult();
            if (Refusal is { } reason) throw MqttException.Violation(reason, "a test says so");
            if (IsClosed && !_open.Task.IsCompleted) return false;
            _packets.Writer.TryWrite(Convert.ToHexStringLower(packet));
            return true;
        }

        public Task WaitToReceiveAsync(CancellationToken cancellationToken) => _open.Task.WaitAsync(cancellationToken);

        public void OnRoom()
        {
        }
    }
}
