using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Interop.Tests;

/// <summary>mosquitto_pub and mosquitto_sub: programs of one purpose each, so they have their own conversations.</summary>
public sealed class MosquittoTests(BrokerFixture broker) : IClassFixture<BrokerFixture>, IDisposable
{
    private readonly string _run = Guid.NewGuid().ToString("N")[..8];
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;
    private readonly List<ChildProcess> _processes = [];

    public void Dispose()
    {
        _processes.ForEach(process => process.Dispose());
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [MemberData(nameof(Versions.AllWithQoS), MemberType = typeof(Versions))]
    public async Task A_message_comes_through(string version, int qos)
    {
        ChildProcess subscriber = await SubscribeAsync(version, "-q", Show(qos), "-t", $"{_run}/#", "-F", "got %t %q %r %p");
        await PublishAsync(version, "-q", Show(qos), "-t", $"{_run}/a", "-m", "it works");
        Assert.Equal($"got {_run}/a {qos} 0 it works", await GotAsync(subscriber));
    }

    [Theory]
    [MemberData(nameof(Versions.All), MemberType = typeof(Versions))]
    public async Task A_retained_message_waits_for_subscribers_until_it_is_cleared(string version)
    {
        await PublishAsync(version, "-q", "1", "-r", "-t", $"{_run}/a", "-m", "kept");
        ChildProcess subscriber = await SubscribeAsync(version, "-q", "1", "-t", $"{_run}/a", "-F", "got %q %r %p");
        Assert.Equal("got 1 1 kept", await GotAsync(subscriber));
        await PublishAsync(version, "-q", "1", "-r", "-t", $"{_run}/a", "-n");
        ChildProcess late = await SubscribeAsync(version, "-q", "1", "-t", $"{_run}/a", "-F", "got %q %r %p");
        await PublishAsync(version, "-q", "1", "-t", $"{_run}/a", "-m", "fence");
        Assert.Equal("got 1 0 fence", await GotAsync(late));
    }

    [Theory]
    [MemberData(nameof(Versions.All), MemberType = typeof(Versions))]
    public async Task A_will_is_published_when_the_connection_breaks(string version)
    {
        ChildProcess witness = await SubscribeAsync(version, "-q", "2", "-t", $"{_run}/will", "-F", "got %q %p");
        ChildProcess mortal = await SubscribeAsync(version, ["-t", "nothing", .. Will("2")]);
        mortal.Kill();
        Assert.Equal("got 2 gone", await GotAsync(witness));
    }

    [Fact]
    public async Task A_will_waits_for_its_delay()
    {
        ChildProcess witness = await SubscribeAsync(Versions.V5, "-t", $"{_run}/will", "-F", "got %p");
        ChildProcess mortal = await SubscribeAsync(
            Versions.V5, ["-t", "nothing", "-D", "CONNECT", "session-expiry-interval", "60", "-D", "WILL", "will-delay-interval", "1", .. Will("0")]);
        long broken = Stopwatch.GetTimestamp();
        mortal.Kill();
        Assert.Equal("got gone", await GotAsync(witness));
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
        // In 5.0, -c includes a Session Expiry Interval without end.
        string[] session = ["-c", "-i", $"{_run}-s", "-q", Show(qos), "-t", $"{_run}/a", "-F", "got %q %p"];
        ChildProcess first = Start("mosquitto_sub", version, [.. session, "-E"]);
        Assert.True(await first.ExitAsync() == 0, first.Said);
        foreach (string text in new[] { "0", "1", "2" }) await PublishAsync(version, "-q", Show(qos), "-t", $"{_run}/a", "-m", text);
        ChildProcess second = Start("mosquitto_sub", version, [.. session, "-C", "3"]);
        Assert.True(await second.ExitAsync() == 0, second.Said);
        Assert.Equal([$"got {qos} 0", $"got {qos} 1", $"got {qos} 2"], second.Said.Split('\n').Where(IsGot));
    }

    [Fact]
    public async Task Properties_arrive_as_they_were_sent()
    {
        ChildProcess subscriber = await SubscribeAsync(
            Versions.V5, "-q", "1", "-t", $"{_run}/a", "-D", "SUBSCRIBE", "subscription-identifier", "7", "-F", "got %C|%R|%D|%F|%S|%E|%P");
        string[] properties =
        [
            "-D", "PUBLISH", "content-type", "text/plain", "-D", "PUBLISH", "response-topic", $"{_run}/answer", "-D", "PUBLISH", "correlation-data", "c0rr",
            "-D", "PUBLISH", "payload-format-indicator", "1", "-D", "PUBLISH", "message-expiry-interval", "600",
            "-D", "PUBLISH", "user-property", "path", "first", "-D", "PUBLISH", "user-property", "site", "hall 3", "-D", "PUBLISH", "user-property", "path",
            "second",
        ];
        await PublishAsync(Versions.V5, ["-q", "1", "-t", $"{_run}/a", "-m", "21.5", .. properties]);
        string[] got = (await GotAsync(subscriber))["got ".Length..].Split('|');
        Assert.Equal(["text/plain", $"{_run}/answer", "c0rr", "1", "7"], got[..5]);
        Assert.InRange(int.Parse(got[5], CultureInfo.InvariantCulture), 540, 600);
        Assert.Equal("path:first site:hall 3 path:second", got[6].Trim());
    }

    [Theory]
    [MemberData(nameof(Versions.All), MemberType = typeof(Versions))]
    public async Task A_shared_subscription_divides_the_messages(string version)
    {
        const int count = 20;
        string[] filters = ["-q", "1", "-t", $"$share/{_run}/{_run}/work", "-t", $"{_run}/fence", "-F", "got %p"];
        ChildProcess[] members = [await SubscribeAsync(version, filters), await SubscribeAsync(version, filters)];
        await PublishLinesAsync(version, 1, $"{_run}/work", count);
        await PublishAsync(version, "-q", "1", "-t", $"{_run}/fence", "-m", "fence");
        List<string> received = [];
        foreach (ChildProcess member in members)
        {
            int before = received.Count;
            for (string got = await GotAsync(member); got != "got fence"; got = await GotAsync(member)) received.Add(got["got ".Length..]);
            Assert.True(received.Count > before, "a member got nothing");
        }

        Assert.Equal(Enumerable.Range(0, count), received.Select(int.Parse).Order());
    }

    [Theory]
    [MemberData(nameof(Versions.AllWithQoS), MemberType = typeof(Versions))]
    public async Task A_megabyte_arrives_intact(string version, int qos)
    {
        byte[] payload = RandomNumberGenerator.GetBytes(1024 * 1024);
        string file = Path.Combine(_directory, "payload");
        await File.WriteAllBytesAsync(file, payload);
        ChildProcess subscriber = await SubscribeAsync(version, "-q", Show(qos), "-t", $"{_run}/large", "-F", "got %x");
        await PublishAsync(version, "-q", Show(qos), "-t", $"{_run}/large", "-f", file);
        byte[] received = Convert.FromHexString((await GotAsync(subscriber)).AsSpan("got ".Length));
        Assert.Equal(SHA256.HashData(payload), SHA256.HashData(received));
    }

    [Theory]
    [MemberData(nameof(Versions.All), MemberType = typeof(Versions))]
    public async Task Two_hundred_messages_at_once_arrive_exactly_once_and_in_order(string version)
    {
        const int count = 200;
        ChildProcess subscriber = await SubscribeAsync(version, "-q", "2", "-t", $"{_run}/burst", "-F", "got %p");
        await PublishLinesAsync(version, 2, $"{_run}/burst", count);
        await PublishAsync(version, "-q", "2", "-t", $"{_run}/burst", "-m", "fence");
        List<string> received = [];
        while (received.Count == 0 || received[^1] != "got fence") received.Add(await GotAsync(subscriber));
        Assert.Equal([.. Enumerable.Range(0, count).Select(i => $"got {i}"), "got fence"], received);
    }

    private string[] Will(string qos) => ["--will-topic", $"{_run}/will", "--will-payload", "gone", "--will-qos", qos];

    /// <summary>Starts a subscriber; -d says when its subscription stands.</summary>
    private async Task<ChildProcess> SubscribeAsync(string version, params string[] arguments)
    {
        ChildProcess subscriber = Start("mosquitto_sub", version, [.. arguments, "-d"]);
        await subscriber.LineAsync(line => line.StartsWith("Subscribed", StringComparison.Ordinal));
        return subscriber;
    }

    private async Task PublishAsync(string version, params string[] arguments)
    {
        ChildProcess publisher = Start("mosquitto_pub", version, arguments);
        Assert.True(await publisher.ExitAsync() == 0, publisher.Said);
    }

    /// <summary>Publishes "0", "1", ... over one connection.</summary>
    private async Task PublishLinesAsync(string version, int qos, string topic, int count)
    {
        ChildProcess publisher = Start("mosquitto_pub", version, ["-q", Show(qos), "-t", topic, "-l"], keepsInput: true);
        publisher.Say(string.Join('\n', Enumerable.Range(0, count)));
        publisher.EndInput();
        Assert.True(await publisher.ExitAsync() == 0, publisher.Said);
    }

    private ChildProcess Start(string program, string version, string[] arguments, bool keepsInput = false)
    {
        // stdbuf makes it say at once what it has to say, although no terminal listens.
        string[] command =
        [
            "-oL", Installed.Mosquitto(program), "-h", "127.0.0.1", "-p", Show(broker.Port), "-V", version == Versions.V5 ? "5" : "311", .. arguments,
        ];
        var process = new ChildProcess(new ProcessStartInfo("stdbuf", command), keepsInput);
        _processes.Add(process);
        return process;
    }

    private static Task<string> GotAsync(ChildProcess subscriber) => subscriber.TakeLineAsync(IsGot);

    private static bool IsGot(string line) => line.StartsWith("got ", StringComparison.Ordinal);

    private static string Show(int number) => number.ToString(CultureInfo.InvariantCulture);
}
