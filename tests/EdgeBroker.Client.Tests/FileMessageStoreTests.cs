using System.Globalization;
using System.Text;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Client.Tests;

/// <summary>Messages that are kept in a file until the server has them.</summary>
public sealed class FileMessageStoreTests : IDisposable
{
    private const string Connack = "20 03 00 00 00";

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeServer _server = new();

    private string File => Path.Combine(_directory.Path, "messages");

    [Fact]
    public async Task What_was_enqueued_without_a_server_goes_by_the_next_process_in_order()
    {
        using (var port = new DeafPort())
        await using (FileMessageStore store = FileMessageStore.Open(File))
        await using (var client = new MqttClient(Options(port.Transport), new ClientSession(store)))
        {
            client.Start();
            byte[] payload = "0"u8.ToArray();
            for (int i = 0; i < 3; i++)
            {
                payload[0] = (byte)('0' + i);
                await client.EnqueueAsync(new PublishMessage("a", payload) { QoS = QoS.AtLeastOnce }).Within();
            }
        }

        await using FileMessageStore again = FileMessageStore.Open(File);
        Assert.Equal(3, again.Count);
        await using var next = new MqttClient(Options(_server.Transport), new ClientSession(again));
        next.Start();
        using FakeConnection connection = await _server.AcceptAsync(Connack);
        for (int i = 0; i < 3; i++)
        {
            await connection.ExpectAsync($"32 07 0001 61 000{i + 1} 00 3{i}");
            await connection.SendAsync($"40 02 000{i + 1}");
        }

        await EdgeBroker.Testing.Deadline.Until(() => again.Count == 0, "the messages to be done with");
        await next.DisposeAsync();
        await again.DisposeAsync();
        await using FileMessageStore empty = FileMessageStore.Open(File);
        Assert.Equal(0, empty.Count);
    }

    /// <summary>Wherever the file ends, as after a power cut: what was kept before that is there, whole and in order.</summary>
    [Fact]
    public async Task A_file_that_is_cut_anywhere_has_what_was_kept_before()
    {
        var ends = new List<(long Bytes, int Kept)> { (8, 0) };
        await using (FileMessageStore store = FileMessageStore.Open(File))
        {
            for (int i = 0; i < 5; i++)
            {
                store.Add(Message(i, 20 * i), null, out Task kept);
                await kept.Within();
                ends.Add((new FileInfo(File).Length, i + 1));
            }
        }

        byte[] whole = await System.IO.File.ReadAllBytesAsync(File);
        for (int length = 0; length <= whole.Length; length++)
        {
            await System.IO.File.WriteAllBytesAsync(File, whole[..length]);
            await using FileMessageStore store = FileMessageStore.Open(File);
            int expected = ends.Where(end => end.Bytes <= length).Select(end => end.Kept).DefaultIfEmpty(0).Max();
            List<StoredMessage> recovered = store.TakeRecovered();
            Assert.Equal(Enumerable.Range(0, expected), recovered.Select(NumberOf));
            // And it goes on from there.
            store.Add(Message(99, 5), null, out Task kept);
            await kept.Within();
            await store.DisposeAsync();
            await using FileMessageStore next = FileMessageStore.Open(File);
            Assert.Equal([.. Enumerable.Range(0, expected), 99], next.TakeRecovered().Select(NumberOf));
            Assert.Equal(0, next.TornBytes);
        }
    }

    [Fact]
    public async Task A_byte_that_has_changed_ends_the_file_there()
    {
        long first = 0;
        await using (FileMessageStore store = FileMessageStore.Open(File))
        {
            for (int i = 0; i < 3; i++)
            {
                store.Add(Message(i, 30), null, out Task kept);
                await kept.Within();
                if (i == 0) first = new FileInfo(File).Length;
            }
        }

        byte[] bytes = await System.IO.File.ReadAllBytesAsync(File);
        for (long at = first; at < bytes.Length; at++)
        {
            byte[] changed = [.. bytes];
            changed[at] ^= 0x10;
            await System.IO.File.WriteAllBytesAsync(File, changed);
            await using FileMessageStore store = FileMessageStore.Open(File);
            List<StoredMessage> recovered = store.TakeRecovered();
            Assert.Equal(Enumerable.Range(0, recovered.Count), recovered.Select(NumberOf));
            Assert.InRange(recovered.Count, 1, 2);
            Assert.True(store.TornBytes > 0);
        }
    }

    [Fact]
    public async Task What_is_done_with_does_not_make_the_file_grow_and_what_is_not_stays()
    {
        await using (FileMessageStore store = FileMessageStore.Open(File))
        {
            long received = store.Add(Message(7, 100), null, out Task first);
            await first.Within();
            await store.NoteReceived(received).Within();
            for (int i = 0; i < 3000; i++)
            {
                long id = store.Add(Message(i, 2000), null, out Task kept);
                if (i % 100 == 0) await kept.Within();
                store.Remove(id);
            }

            store.Add(Message(8, 100), null, out Task last);
            await last.Within();
        }

        Assert.InRange(new FileInfo(File).Length, 200, 4 << 20);
        await using FileMessageStore again = FileMessageStore.Open(File);
        List<StoredMessage> recovered = again.TakeRecovered();
        Assert.Equal([7, 8], recovered.Select(NumberOf));
        Assert.Equal([true, false], recovered.Select(one => one.IsReceived));
    }

    [Fact]
    public async Task One_message_too_many_is_refused()
    {
        await using FileMessageStore store = FileMessageStore.Open(File, new FileMessageStoreOptions(MaximumMessages: 2, MaximumBytes: 10_000));
        long first = store.Add(Message(0, 10), null, out _);
        store.Add(Message(1, 10), null, out _);
        Assert.Equal(ReasonCode.QuotaExceeded, Assert.Throws<MqttException>(() => store.Add(Message(2, 10), null, out _)).Reason);
        store.Remove(first);
        Assert.Equal(ReasonCode.QuotaExceeded, Assert.Throws<MqttException>(() => store.Add(Message(2, 10_000), null, out _)).Reason);
        store.Add(Message(2, 10), null, out Task kept);
        await kept.Within();
    }

    [Fact]
    public async Task What_has_expired_meanwhile_is_left_out()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 5, 1, 0, 0, 0, TimeSpan.Zero));
        await using (FileMessageStore store = FileMessageStore.Open(File))
        {
            store.Add(Message(0, 10), time.GetUtcNow().AddSeconds(10), out _);
            store.Add(Message(1, 10), time.GetUtcNow().AddSeconds(100), out Task kept);
            await kept.Within();
        }

        time.Advance(TimeSpan.FromSeconds(50));
        await using FileMessageStore again = FileMessageStore.Open(File);
        var session = new ClientSession(again, time);
        Assert.Equal((1, 1), (session.UnacknowledgedMessages, again.Count));
    }

    /// <summary>What the server has answered with PUBREC goes on with PUBREL, and the message behind it under its own identifier.</summary>
    [Fact]
    public async Task An_exchange_goes_on_in_the_next_process()
    {
        await using (FileMessageStore store = FileMessageStore.Open(File))
        {
            long first = store.Add(new PublishMessage("a", "0"u8.ToArray()) { QoS = QoS.ExactlyOnce }, null, out _);
            store.Add(new PublishMessage("a", "1"u8.ToArray()) { QoS = QoS.ExactlyOnce }, null, out Task kept);
            await kept.Within();
            await store.NoteReceived(first).Within();
        }

        await using FileMessageStore again = FileMessageStore.Open(File);
        await using var client = new MqttClient(Options(_server.Transport) with { CleanStart = false, SessionExpirySeconds = 60 }, new ClientSession(again));
        client.Start();
        using FakeConnection connection = await _server.AcceptAsync("20 03 01 00 00");
        await connection.ExpectAsync("62 02 0001");
        await connection.ExpectAsync("3C 07 0001 61 0002 00 31");
        await connection.SendAsync("70 02 0001 50 02 0002");
        await connection.ExpectAsync("62 02 0002");
        await connection.SendAsync("70 02 0002");
        await EdgeBroker.Testing.Deadline.Until(() => again.Count == 0, "the messages to be done with");
    }

    /// <summary>The server may have it: its identifier is made free, and the message does not go again.</summary>
    [Fact]
    public async Task Of_what_has_expired_at_QoS_2_the_exchange_is_ended()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 5, 1, 0, 0, 0, TimeSpan.Zero));
        await using (FileMessageStore store = FileMessageStore.Open(File))
        {
            store.Add(new PublishMessage("a", "0"u8.ToArray()) { QoS = QoS.ExactlyOnce }, time.GetUtcNow().AddSeconds(10), out Task kept);
            await kept.Within();
        }

        time.Advance(TimeSpan.FromSeconds(50));
        await using FileMessageStore again = FileMessageStore.Open(File);
        var session = new ClientSession(again, time);
        await using var client = new MqttClient(Options(_server.Transport) with { CleanStart = false, SessionExpirySeconds = 60 }, session);
        client.Start();
        using FakeConnection connection = await _server.AcceptAsync("20 03 01 00 00");
        await connection.ExpectAsync("62 02 0001");
        // Packet Identifier not found: the server never had it.
        await connection.SendAsync("70 03 0001 92");
        await EdgeBroker.Testing.Deadline.Until(() => again.Count == 0, "the message to be done with");
    }

    [Fact]
    public async Task A_file_of_another_kind_stays_as_it_is_and_two_processes_do_not_share_one()
    {
        await System.IO.File.WriteAllTextAsync(File, "a letter to a friend");
        Assert.Throws<InvalidDataException>(() => FileMessageStore.Open(File));
        Assert.Equal("a letter to a friend", await System.IO.File.ReadAllTextAsync(File));
        System.IO.File.Delete(File);
        await using FileMessageStore store = FileMessageStore.Open(File);
        Assert.Throws<IOException>(() => FileMessageStore.Open(File));
    }

    public void Dispose()
    {
        _server.Dispose();
        _directory.Dispose();
    }

    private static MqttClientOptions Options(IClientTransport transport) =>
        new() { Transport = transport, ClientId = "kept", Reconnect = new ReconnectOptions() };

    private static PublishMessage Message(int number, int padding) =>
        new("plant/a", Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{number} {new string('x', padding)}"))) { QoS = QoS.AtLeastOnce };

    private static int NumberOf(StoredMessage stored) =>
        int.Parse(Encoding.ASCII.GetString(stored.Message!.Payload.Span).Split(' ')[0], CultureInfo.InvariantCulture);
}
