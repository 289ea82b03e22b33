using System.Net.Sockets;
using System.Text;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Routing;
using EdgeBroker.Http.Api;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Http.Tests.Api;

/// <summary>Readers that ask and take nothing of the answer: what waits for them is bounded, and so is how long.</summary>
public sealed class SlowReaderTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly ApiHost _host;

    public SlowReaderTests() => _host = new ApiHost(_time);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_stream_of_messages_that_nobody_reads_is_cut_off_and_counted()
    {
        await _host.StartAsync();
        await AskAsync("/topics/plant/%23/events", ApiHost.AdminToken);
        await Deadline.Until(() => _host.Web.Site.Streams.Count == 1, "the stream");
        await UntilCutAsync(() => Publish(new byte[100_000]));
        // What was kept for it is given back.
        await Deadline.Until(() => _host.Web.Broker.Limits.Ledger.Bytes(MemoryKind.LocalQueues) == 0, "its queue to be empty");
    }

    [Fact]
    public async Task A_tail_of_the_log_that_nobody_reads_is_cut_off_and_counted()
    {
        await _host.StartAsync();
        await AskAsync("/api/v1/stream?channels=log", ApiHost.ViewerToken);
        await Deadline.Until(() => _host.Web.Site.Streams.Count == 1, "the stream");
        string text = new('x', 20_000);
        long last = 0;
        await UntilCutAsync(() => _host.LogLines =
            [.. Enumerable.Range(0, 100).Select(_ => new LogLine(++last, DateTimeOffset.UnixEpoch, "info", "x", 1, text)).Reverse()]);
    }

    [Fact]
    public async Task A_copy_of_the_store_that_nobody_takes_is_cut_off_counted_and_deleted()
    {
        _host.BackupBytes = 64 * 1024 * 1024;
        await _host.StartAsync();
        (int status, System.Text.Json.JsonElement backup) = await ApiHost.AskAsync(_host.Client(), "POST", "/api/v1/backup");
        Assert.Equal(201, status);
        string id = backup.GetProperty("id").GetString()!;
        NetworkStream reader = await AskAsync("/api/v1/backups/" + id, ApiHost.AdminToken);
        await Deadline.Within(reader.ReadExactlyAsync(new byte[1]).AsTask(), "the answer to begin");
        await Deadline.AdvanceUntil(_time, () => Cuts > 0, "the reader to be cut off");
        await Deadline.Until(() => !File.Exists(_host.Web.PathOf(id)), "the copy to be deleted");
        // Another one is made as if nothing had been.
        Assert.Equal(201, (await ApiHost.AskAsync(_host.Client(), "POST", "/api/v1/backup")).Status);
    }

    private long Cuts => _host.Web.Broker.Limits.Counters[LimitKind.SendTimeout, LimitAction.Disconnected];

    private async Task UntilCutAsync(Action more)
    {
        await Deadline.AdvanceUntil(
            _time,
            () =>
            {
                if (Cuts == 0) more();
                return Cuts > 0;
            },
            "the reader to be cut off");
        await Deadline.Until(() => _host.Web.Site.Streams.Count == 0, "the stream's end");
    }

    private async Task<NetworkStream> AskAsync(string path, string token)
    {
        NetworkStream stream = await _host.Web.TcpAsync(_host.Port);
        stream.Socket.ReceiveBufferSize = 4 * 1024;
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"));
        return stream;
    }

    private void Publish(byte[] payload)
    {
        RoutingContext context = _host.Web.Broker.CreateContext();
        _host.Web.Broker.Publish(new Publication { Topic = "plant/a"u8, Payload = payload, QoS = QoS.AtMostOnce }, context);
    }
}
