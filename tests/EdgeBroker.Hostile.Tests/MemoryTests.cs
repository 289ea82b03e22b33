using System.Globalization;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Hostile.Tests;

/// <summary>What one client can do to the others by what it makes the broker keep.</summary>
public sealed class MemoryTests
{
    private const uint Year = 365 * 86_400;

    private static readonly Packets Packets = Packets.V5;

    [Fact]
    public async Task Sessions_with_large_wills_that_stay_for_years_keep_nobody_out()
    {
        await using Siege siege = await Siege.BeginAsync();
        var will = new TestWill("will/topic", new string('w', 60_000), Properties: Prop.WillDelay(Year));
        int letIn = 0, refused = 0;
        for (int i = 0; i < 1_500; i++)
        {
            using Attacker attacker = siege.Attack();
            byte[] connect = Packets.Connect(Name("absent", i), cleanStart: false, properties: Prop.SessionExpiry(Year), will: will);
            byte[] answer = await attacker.AskAsync(connect, 4);
            // Fixed header, flags, reason code.
            if (answer.Length < 4) continue;
            if (answer[3] == 0) letIn++;
            else if (answer[3] == (byte)ReasonCode.QuotaExceeded) refused++;
        }

        Assert.True(letIn is > 100 and < 1_300, $"{letIn} let in");
        Assert.True(refused > 100, $"{refused} refused");
        // Whoever has a session comes in, with another will, too.
        await using TestClient known = await siege.OpenAsync();
        await known.SendAsync(Packets.Connect("absent-0", cleanStart: false, properties: Prop.SessionExpiry(Year), will: will));
        await known.ExpectConnackAsync(sessionPresent: true);
        await siege.EndAsync();
    }

    [Fact]
    public async Task Long_filters_are_refused_before_memory_is_used_up()
    {
        await using Siege siege = await Siege.BeginAsync();
        int granted = 0, refused = 0;
        for (int client = 0; client < 4; client++)
        {
            Attacker attacker = siege.Attack();
            await attacker.ConnectAsync(Packets.Connect(Name("filters", client)));
            for (int i = 0; i < 500; i++)
            {
                string filter = Name("f", client) + Name("/", i) + "/" + new string('f', 64_000);
                if (!await attacker.TrySendAsync(Packets.Subscribe(1, filter))) break;
            }

            (int more, int less) = Count(await attacker.ReceiveAllAsync(), PacketType.Suback);
            (granted, refused) = (granted + more, refused + less);
        }

        Assert.True(granted > 50, $"{granted} granted");
        Assert.True(granted < 1_500, $"{granted} granted");
        // Filters are refused, or, where others hold memory as well, the connections that hold most are ended.
        if (refused == 0) await siege.SaidAsync("limits.max_memory");
        await siege.EndAsync();
    }

    [Fact]
    public async Task Receivers_that_never_acknowledge_go_first()
    {
        await using Siege siege = await Siege.BeginAsync();
        var receivers = new List<Attacker>();
        for (int i = 0; i < 20; i++)
        {
            Attacker receiver = siege.Attack();
            await receiver.ConnectAsync(Packets.Connect(Name("receiver", i)));
            await receiver.TrySendAsync(Packets.Subscribe(1, Name("to", i), options: 1));
            receivers.Add(receiver);
        }

        await Flood(siege, "to-", 20, 300 * 1024, 600, retain: false);
        await siege.SaidAsync("disconnected by limits.max_memory");
        await siege.EndAsync();
    }

    [Fact]
    public async Task Absent_receivers_have_their_messages_on_disk()
    {
        await using Siege siege = await Siege.BeginAsync();
        for (int i = 0; i < 20; i++)
        {
            using Attacker receiver = siege.Attack();
            byte[] connect = Packets.Connect(Name("absent", i), cleanStart: false, properties: Prop.SessionExpiry(Year));
            await receiver.ConnectAsync(connect);
            await receiver.AskAsync(Packets.Subscribe(1, Name("to", i), options: 1), 6);
        }

        await Flood(siege, "to-", 20, 300 * 1024, 600, retain: false);
        await siege.EndAsync();
    }

    [Fact]
    public async Task Retained_messages_beyond_their_share_are_refused()
    {
        await using Siege siege = await Siege.BeginAsync();
        await using TestClient client = await siege.OpenAsync();
        await client.SendAsync(Packets.Connect("retainer"));
        await client.ExpectConnackAsync();
        var payload = new byte[1024 * 1024];
        int kept = 0;
        ReceivedPacket answer;
        while (true)
        {
            await client.SendAsync(Packets.Publish(Name("kept", kept), payload, qos: 1, packetId: 1, retain: true));
            answer = await client.ExpectAsync(PacketType.Puback);
            if (answer.Reason == ReasonCode.QuotaExceeded) break;
            kept++;
            Assert.True(kept < 90, "nothing was refused");
        }

        Assert.InRange(kept, 20, 80);
        Assert.Contains("limits.max_memory", answer.Properties.Text(PropertyId.ReasonString), StringComparison.Ordinal);
        // Replacing and deleting go on, and give room.
        await client.PublishAsync("kept-0", new string('x', 1000), qos: 1, retain: true);
        await client.PublishAsync("kept-1", "", qos: 1, retain: true);
        await client.PublishAsync("kept-2", "", qos: 1, retain: true);
        await client.SendAsync(Packets.Publish("kept-again", payload, qos: 1, packetId: 1, retain: true));
        Assert.False((await client.ExpectAsync(PacketType.Puback)).Reason.IsError());
        await siege.EndAsync();
    }

    [Fact]
    public async Task Clients_that_ask_and_do_not_read_are_not_read()
    {
        await using Siege siege = await Siege.BeginAsync();
        byte[] pings = [.. Enumerable.Range(0, 8_192).SelectMany(_ => Packets.Pingreq())];
        await Task.WhenAll(Enumerable.Range(0, 60).Select(async i =>
        {
            Attacker attacker = siege.Attack();
            await attacker.TrySendAsync(Packets.Connect(Name("asks", i)));
            // 8 MB of answers each, of which the sockets take some.
            for (int round = 0; round < 500; round++)
            {
                if (!await attacker.TrySendAsync(pings)) return;
            }
        }));
        await siege.EndAsync();
    }

    [Fact]
    public async Task Topic_aliases_are_accounted()
    {
        await using Siege siege = await Siege.BeginAsync();
        await Task.WhenAll(Enumerable.Range(0, 60).Select(async i =>
        {
            Attacker attacker = siege.Attack();
            await attacker.TrySendAsync(Packets.Connect(Name("aliases", i)));
            for (int alias = 1; alias <= 32; alias++)
            {
                string topic = new string('a', 65_000) + Name("", alias);
                if (!await attacker.TrySendAsync(Packets.Publish(topic, "", properties: Prop.TopicAlias(alias)))) return;
            }
        }));
        await siege.EndAsync();
    }

    [Fact]
    public async Task Large_packets_that_are_never_complete_end_with_those_who_hold_most()
    {
        await using Siege siege = await Siege.BeginAsync();
        byte[] begun = Packets.Publish("large", new byte[4 * 1024 * 1024])[..^1];
        for (int i = 0; i < 40; i++)
        {
            Attacker attacker = siege.Attack();
            await attacker.ConnectAsync(Packets.Connect(Name("half", i)));
            await attacker.TrySendAsync(begun);
        }

        await siege.SaidAsync("by limits.max_memory");
        await siege.EndAsync();
    }

    [Fact]
    public async Task A_full_store_takes_nothing_new_and_lets_deletions_through()
    {
        await using Siege siege = await Siege.BeginAsync(tables: "[storage]\nmax_bytes = \"16MB\"");
        await using TestClient client = await siege.OpenAsync();
        await client.SendAsync(Packets.Connect("retainer"));
        await client.ExpectConnackAsync();
        var payload = new byte[1024 * 1024];
        int kept = 0, inRow = 0;
        for (; inRow < 3; inRow++)
        {
            await client.SendAsync(Packets.Publish(Name("kept", kept), payload, qos: 1, packetId: 1, retain: true));
            if ((await client.ExpectAsync(PacketType.Puback)).Reason == ReasonCode.QuotaExceeded) continue;
            (kept, inRow) = (kept + 1, -1);
            Assert.True(kept < 40, "nothing was refused");
        }

        Assert.True(new FileInfo(Path.Combine(siege.Folder, "data", "edgebroker.db")).Length < 32 * 1024 * 1024, "the file is too large");
        for (int i = 0; i < kept; i++) await client.PublishAsync(Name("kept", i), "", qos: 1, retain: true);
        // What was deleted has given room, perhaps not in the same moment.
        for (int attempt = 0; ; attempt++)
        {
            await client.SendAsync(Packets.Publish("kept-again", payload, qos: 1, packetId: 1, retain: true));
            if (!(await client.ExpectAsync(PacketType.Puback)).Reason.IsError()) break;
            Assert.True(attempt < 100, "no room though all was deleted");
            await Task.Delay(50);
        }

        await siege.EndAsync();
    }

    [Fact]
    public async Task Many_values_published_at_once_do_not_fill_a_store_beyond_what_it_can_write()
    {
        await using Siege siege = await Siege.BeginAsync(tables: "[storage]\nmax_bytes = \"16MB\"");
        Attacker attacker = siege.Attack();
        await attacker.ConnectAsync(Packets.Connect("many"));
        var payload = new byte[512 * 1024];
        int sent = 0;
        for (; sent < 90; sent++)
        {
            if (!await attacker.TrySendAsync(Packets.Publish(Name("kept", sent), payload, qos: 1, packetId: sent + 1, retain: true))) break;
        }

        // Whoever deletes is heard.
        await using TestClient client = await siege.OpenAsync();
        await client.SendAsync(Packets.Connect("administrator"));
        await client.ExpectConnackAsync();
        for (int i = 0; i < sent; i++) await client.PublishAsync(Name("kept", i), "", qos: 1, retain: true);
        Assert.DoesNotContain("the store cannot be written", siege.Process.Said, StringComparison.Ordinal);
        await siege.EndAsync();
    }

    // Publishes to some topics in turn, as fast as it goes, on two connections.
    private static Task Flood(Siege siege, string prefix, int topics, int bytes, int messages, bool retain) =>
        Task.WhenAll(Enumerable.Range(0, 2).Select(async connection =>
        {
            Attacker attacker = siege.Attack();
            await attacker.ConnectAsync(Packets.Connect(Name("flood", connection)));
            var payload = new byte[bytes];
            for (int i = 0; i < messages / 2; i++)
            {
                byte[] publish = Packets.Publish(Name(prefix.TrimEnd('-'), i % topics), payload, qos: 1, packetId: (i % 90) + 1, retain: retain);
                if (!await attacker.TrySendAsync(publish)) return;
            }
        }));

    private static (int Granted, int Refused) Count(byte[] received, PacketType type)
    {
        int granted = 0, refused = 0;
        for (int at = 0; at + 1 < received.Length; at += 2 + received[at + 1])
        {
            if (received[at] >> 4 != (int)type || at + 2 + received[at + 1] > received.Length) continue;
            if (received[at + 1 + received[at + 1]] < 0x80) granted++;
            else refused++;
        }

        return (granted, refused);
    }

    private static string Name(string prefix, int number) => string.Create(CultureInfo.InvariantCulture, $"{prefix}-{number}");
}
