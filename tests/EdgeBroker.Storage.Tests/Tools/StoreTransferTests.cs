using System.Globalization;
using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Tests.Journal;
using EdgeBroker.Storage.Tests.Opening;
using EdgeBroker.Storage.Tools;
using EdgeBroker.Testing;

namespace EdgeBroker.Storage.Tests.Tools;

/// <summary>A store as JSON lines, out and in: what was there is there again, and what is wrong is refused.</summary>
public sealed class StoreTransferTests : IDisposable
{
    private const string Head = """{"type":"store","version":1,"age_ms":0,"wall_ms":0}""";
    private const string End = """{"type":"end"}""";
    private const string Session =
        """{"type":"session","client_id":"c","owner":null,"expiry_seconds":60,"connected":false,"ends_at_ms":60000,"will_at_ms":null,"sent_position":"""
        + """0,"last_position":0,"will":null,"queue_policy":null}""";

    private static readonly byte[] Kept = Prop.SessionExpiry(1000);
    private readonly TemporaryDirectory _directory = new();
    private readonly TemporaryDirectory _elsewhere = new();
    private readonly FixedTime _time = new();

    private string Database => StoreFile.PathIn(_directory.File("data"));

    private string Target => _elsewhere.File("data");

    public void Dispose()
    {
        _directory.Dispose();
        _elsewhere.Dispose();
    }

    [Fact]
    public async Task A_broker_goes_on_from_an_import_as_from_the_store()
    {
        await using StoredBroker first = StoredBroker.Start(_directory);
        await FillAsync(first);
        StoreTransfer written = StoreExport.Run(Database, _elsewhere.File("beside.jsonl"), CancellationToken.None);
        Assert.Equal((5, 104L, 2), (written.Sessions, written.Messages, written.Retained));
        await first.StopAsync();
        byte[] exported = Export(Database);
        StoreTransfer read = Import(exported);
        Assert.Equal(written, read);
        Assert.Equal(Encoding.UTF8.GetString(exported), Encoding.UTF8.GetString(Export(StoreFile.PathIn(Target))));
        await using StoredBroker second = StoredBroker.Start(_elsewhere);
        Assert.Equal((StoreOpeningKind.Opened, 5, 0), (second.Opening.Kind, second.Restored.Sessions, second.Restored.Damaged));
        await ExpectAsync(second);
    }

    [Fact]
    public void Positions_done_with_stay_so_and_open_ones_keep_their_gaps()
    {
        string session = Session.Replace("\"last_position\":0", "\"last_position\":9", StringComparison.Ordinal);
        string[] lines = [Head, session, Message(1, 3), Message(2, 7), Message(64, 12), Message(200, 13), End];
        Import(lines);
        Assert.Equal(string.Join('\n', lines) + "\n", Encoding.UTF8.GetString(Export(StoreFile.PathIn(Target))));
    }

    [Theory]
    [InlineData(1_000, true)]
    [InlineData(1_001, false)]
    public void Topics_and_filters_have_as_many_levels_as_a_broker_may_allow(int levels, bool isTaken)
    {
        string deep = string.Join('/', Enumerable.Repeat("a", levels));
        string[] lines =
        [
            $$"""{"type":"subscription","client_id":"c","filter":"{{deep}}","options":1,"identifier":0}""",
            $$"""{"type":"retained","topic":"{{deep}}","payload":"YQ==","properties":"","qos":1,"retain":true,"expires_at_ms":null}""",
        ];
        if (isTaken)
        {
            Import([Head, Session, .. lines, End]);
            return;
        }

        foreach (string line in lines)
        {
            StoreException failure = Assert.Throws<StoreException>(() => Import([Head, Session, line, End]));
            Assert.Contains("has more than 1000 levels", failure.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(3, "it is no JSON from byte 1 on", "x")]
    [InlineData(3, "it is no JSON from byte 1 on", "")]
    [InlineData(3, "it is no JSON object", "[]")]
    [InlineData(3, "\"type\" is missing", "{}")]
    [InlineData(3, "the type \"sesion\" is unknown", """{"type":"sesion"}""")]
    [InlineData(3, "a second line of type \"store\"", Head)]
    [InlineData(3, "a second session of \"c\"", Session)]
    [InlineData(3, "\"packet_id\" is no whole number from 1 to 65535", """{"type":"received","client_id":"c","packet_id":0}""")]
    [InlineData(3, "\"packet_id\" is no whole number from 1 to 65535", """{"type":"received","client_id":"c","packet_id":1.5}""")]
    [InlineData(3, "no line before it is a session of \"d\"", """{"type":"received","client_id":"d","packet_id":1}""")]
    [InlineData(3, "\"packet_id\" is there twice", """{"type":"received","client_id":"c","packet_id":1,"packet_id":2}""")]
    [InlineData(3, "\"dup\" is unknown here", """{"type":"received","client_id":"c","packet_id":1,"dup":2}""")]
    [InlineData(4, "already", """{"type":"received","client_id":"c","packet_id":1}""", """{"type":"received","client_id":"c","packet_id":1}""")]
    [InlineData(3, "\"filter\" is no topic filter", """{"type":"subscription","client_id":"c","filter":"a#","options":1,"identifier":0}""")]
    [InlineData(3, "\"filter\" holds U+0000", """{"type":"subscription","client_id":"c","filter":"a\u0000","options":1,"identifier":0}""")]
    [InlineData(3, "half of a surrogate pair", """{"type":"subscription","client_id":"c","filter":"\ud800","options":1,"identifier":0}""")]
    [InlineData(3, "\"options\" are none", """{"type":"subscription","client_id":"c","filter":"a","options":3,"identifier":0}""")]
    [InlineData(
        3, "\"topic\" is no topic name", """{"type":"retained","topic":"a/+","payload":"YQ==","properties":"","qos":1,"retain":true,"expires_at_ms":null}""")]
    [InlineData(
        3, "\"topic\" is one that the broker itself publishes",
        """{"type":"retained","topic":"$SYS/broker/uptime","payload":"YQ==","properties":"","qos":1,"retain":true,"expires_at_ms":null}""")]
    [InlineData(
        3, "\"payload\" is no base64 string", """{"type":"retained","topic":"a","payload":"?","properties":"","qos":1,"retain":true,"expires_at_ms":null}""")]
    [InlineData(3, "\"payload\" is empty", """{"type":"retained","topic":"a","payload":"","properties":"","qos":1,"retain":true,"expires_at_ms":null}""")]
    [InlineData(
        3, "\"properties\" are none that go",
        """{"type":"retained","topic":"a","payload":"YQ==","properties":"CwE=","qos":1,"retain":true,"expires_at_ms":null}""")]
    [InlineData(
        3, "\"properties\" are none that go",
        """{"type":"retained","topic":"a","payload":"YQ==","properties":"AwAF","qos":1,"retain":true,"expires_at_ms":null}""")]
    [InlineData(
        3, "\"qos\" is no whole number from 0 to 2",
        """{"type":"retained","topic":"a","payload":"YQ==","properties":"","qos":3,"retain":true,"expires_at_ms":null}""")]
    [InlineData(
        3, "\"receivers\" is no list",
        """{"type":"message","id":1,"topic":"a","payload":"","properties":"","qos":1,"retain":false,"expires_at_ms":null,"queued_at_ms":0,"receivers":[]}""")]
    [InlineData(
        3, "\"overflow\" cannot be \"drop\"",
        """{"type":"session","client_id":"d","owner":null,"expiry_seconds":60,"connected":false,"ends_at_ms":0,"will_at_ms":null,"sent_position":"""
        + """0,"last_position":0,"will":null,"queue_policy":{"max_messages":1,"max_bytes":1,"max_age_ms":null,"max_store_bytes":null"""
        + ""","overflow":"drop","keeps_qos0":true}}""")]
    [InlineData(4, "it is behind the line", End, End)]
    public void A_line_that_is_wrong_is_named_and_nothing_is_left(int number, string cause, params string[] wrong)
    {
        string[] rest = wrong is [End, End] ? [] : [End];
        StoreException failure = Assert.Throws<StoreException>(() => Import([Head, Session, .. wrong, .. rest]));
        Assert.Equal(StoreProblem.Malformed, failure.Problem);
        Assert.Contains($"line {number}: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(cause, failure.Message, StringComparison.Ordinal);
        Assert.Equal(["edgebroker.lock"], Directory.GetFiles(Target).Select(f => Path.GetFileName(f)));
    }

    [Fact]
    public void A_message_at_a_taken_position_or_out_of_order_is_refused()
    {
        Assert.Contains(
            "another message at position 3", Assert.Throws<StoreException>(() => Import([Head, Session, Message(1, 3), Message(2, 3), End])).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "ascending", Assert.Throws<StoreException>(() => Import([Head, Session, Message(2, 3), Message(2, 4), End])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_cut_off_anywhere_is_refused()
    {
        byte[] whole = Encoding.UTF8.GetBytes(string.Join('\n', Head, Session, Message(1, 1), End));
        for (int length = 0; length < whole.Length; length += 7)
        {
            Assert.Equal(StoreProblem.Malformed, Assert.Throws<StoreException>(() => Import(whole[..length])).Problem);
        }

        Import(whole);
    }

    [Fact]
    public void A_store_that_holds_something_is_kept_or_set_aside_whole()
    {
        using var folder = new StoreFolder();
        folder.Fill(messages: 10, sessions: 1);
        string file = _elsewhere.File("in.jsonl");
        File.WriteAllText(file, string.Join('\n', Head, Session, End));
        Assert.Equal(StoreProblem.Exists, Assert.Throws<StoreException>(() => Run(replace: false)).Problem);
        using (folder.Open()) Assert.Equal(StoreProblem.InUse, Assert.Throws<StoreException>(() => Run(replace: true)).Problem);
        string? name = Run(replace: true);
        Assert.Matches(@"^edgebroker\.db\.replaced-\d{8}-\d{6}$", name);
        Assert.Equal(10, StoreStats.Run(Path.Combine(folder.Path, name!)).Tables.Single(t => t.Name == "message").Rows);
        Assert.Equal(1, StoreStats.Run(folder.Database).Tables.Single(t => t.Name == "session").Rows);
        using StoreFile opened = folder.Open();
        Assert.Equal(StoreOpeningKind.Opened, opened.Opening.Kind);

        string? Run(bool replace)
        {
            StoreImport.Run(file, folder.Path, new StorageOptions(), replace, _time, CancellationToken.None, out string? setAsideAs);
            return setAsideAs;
        }
    }

    private static async Task FillAsync(StoredBroker broker)
    {
        TestClient client = await broker.Broker.ConnectAsync("kept", properties: Kept);
        await client.SubscribeAsync("a/+", 2, Prop.SubscriptionIdentifier(7));
        await client.DropAsync();
        TestClient released = await broker.Broker.ConnectAsync("released", properties: Kept);
        await released.SubscribeAsync("r", 2);
        TestClient publisher = await broker.Broker.ConnectAsync("publisher", properties: Kept);
        for (int i = 0; i < 99; i++)
        {
            await publisher.PublishAsync("a/é" + (i % 3), i.ToString(CultureInfo.InvariantCulture), 1 + (i % 2), properties: Prop.ContentType("text"));
        }

        AbsentSession.Begin(
            broker.Broker.Broker, "policy", "p", new QueuePolicy(5, 1_000, TimeSpan.FromSeconds(9), 500, QueueOverflow.HoldPublishers, KeepsQoS0: true));
        for (int qos = 0; qos < 3; qos++) await publisher.PublishAsync("p", $"QoS {qos}", qos);
        await publisher.PublishAsync("r", "one", 2);
        ReceivedPacket one = await released.ExpectPublishAsync("r", "one", 2);
        await released.SendAsync(released.Packets.Pubrec(one.PacketId));
        await released.ExpectAsync(released.Packets.Pubrel(one.PacketId));
        for (int i = 0; i < 20; i++) await publisher.PublishAsync("v/" + (i % 3), "value " + i, 1, retain: true);
        await publisher.PublishAsync("v/0", "", 1, retain: true);
        TestClient mortal =
            await broker.Broker.ConnectAsync("mortal", properties: Kept, will: new TestWill("a/will", "gone", 1, Properties: Prop.WillDelay(60)));
        await mortal.SubscribeAsync("q", 1);
        await mortal.DropAsync();
        await publisher.SendAsync(publisher.Packets.Publish("q", "x", 2, 500));
        await publisher.ExpectAsync(publisher.Packets.Pubrec(500));
    }

    private static async Task ExpectAsync(StoredBroker broker)
    {
        TestClient released = await broker.Broker.ConnectAsync("released", cleanStart: false, properties: Kept, sessionPresent: true);
        await released.ExpectAsync(released.Packets.Pubrel(1));
        TestClient publisher = await broker.Broker.ConnectAsync("publisher", cleanStart: false, properties: Kept, sessionPresent: true);
        await publisher.SendAsync(publisher.Packets.Publish("q", "x", 2, 500, dup: true));
        await publisher.ExpectAsync(publisher.Packets.Pubrec(500));
        Assert.Equal(1, broker.Broker.Broker.FindSession("mortal")!.PendingMessages);
        Assert.Equal(2, broker.Broker.Broker.Retained.Count);
        Assert.Equal(new QueueView(5, 1_000, 9, 500, "hold-publishers", KeepsQos0: true), broker.PolicyOf("policy"));
        TestClient policy = await broker.Broker.ConnectAsync("policy", cleanStart: false, properties: Kept, sessionPresent: true);
        for (int qos = 0; qos < 3; qos++) await policy.ExpectPublishAsync("p", $"QoS {qos}", qos);
        TestClient reader = await broker.Broker.ConnectAsync("reader");
        await reader.SubscribeAsync("v/#");
        await reader.ExpectPublishesInAnyOrderAsync("value 19", "value 17");
        broker.Broker.Advance(61);
        Assert.Equal(100, broker.Broker.Broker.FindSession("kept")!.PendingMessages);
        TestClient client = await broker.Broker.ConnectAsync("kept", cleanStart: false, properties: Kept, sessionPresent: true);
        for (int i = 0; i < 99; i++)
        {
            ReceivedPacket received = await client.ReceiveAsync();
            while (received.Type == PacketType.Pubrel)
            {
                await client.SendAsync(client.Packets.Pubcomp(received.PacketId));
                received = await client.ReceiveAsync();
            }

            Assert.Equal(
                (i.ToString(CultureInfo.InvariantCulture), 1 + (i % 2), (ushort)(i + 1)), (received.PayloadText, received.QoS, (ushort)received.PacketId));
            Assert.Equal([7u], received.Properties.SubscriptionIdentifiers);
            await client.SendAsync(received.QoS == 1 ? client.Packets.Puback(received.PacketId) : client.Packets.Pubrec(received.PacketId));
        }
    }

    private static string Message(long id, long position) =>
        $$"""{"type":"message","id":{{id}},"topic":"t","payload":"cGF5","properties":"","qos":1,"retain":false,"expires_at_ms":5000,"queued_at_ms":3000"""
            + $$""","receivers":[{"client_id":"c","position":{{position}},"qos":1,"retain":false,"identifiers":[3],"shared_filter":null,"released":false}]}""";

    private static byte[] Export(string database)
    {
        using var target = new MemoryStream();
        StoreExport.Run(database, target, CancellationToken.None);
        return target.ToArray();
    }

    private StoreTransfer Import(string[] lines) => Import(Encoding.UTF8.GetBytes(string.Join('\n', lines)));

    private StoreTransfer Import(byte[] content)
    {
        string file = _elsewhere.File("in.jsonl");
        File.WriteAllBytes(file, content);
        return StoreImport.Run(file, Target, new StorageOptions(), replace: false, _time, CancellationToken.None, out _);
    }

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);
    }
}
