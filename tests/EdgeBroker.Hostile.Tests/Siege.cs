using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Hostile.Tests;

/// <summary>
/// The published executable with 96 MB of memory at most, and a canary: a client that publishes to itself at QoS 1 and waits for each message, for as long as
/// attackers do what they do. <see cref="EndAsync"/> checks that all went well for everybody else.
/// </summary>
internal sealed class Siege : IAsyncDisposable
{
    /// <summary>What the process may have resident at any time: its limit, and what the collector had not given back yet.</summary>
    public const long MostResidentBytes = 120L * 1024 * 1024;

    // A client that is served hears of its message in milliseconds; on a busy machine beside an attacker, later.
    private static readonly TimeSpan CanaryTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan NewcomerTimeout = TimeSpan.FromSeconds(5);

    private readonly string _directory;
    private readonly CancellationTokenSource _ending = new();
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly List<IDisposable> _attackers = [];
    private Task _canary = Task.CompletedTask;
    private string _scenario = "";
    private int _served;

    private Siege(string directory, ChildProcess process, int port)
    {
        _directory = directory;
        Process = process;
        Port = port;
    }

    /// <summary>The broker.</summary>
    public ChildProcess Process { get; }

    /// <summary>Where it listens for plain MQTT.</summary>
    public int Port { get; }

    /// <summary>The largest resident size so far, as the kernel has noted it.</summary>
    public long PeakResidentBytes => ReadStatus("VmHWM:");

    /// <summary>The broker's directory.</summary>
    public string Folder => _directory;

    /// <summary>The last of what it has said.</summary>
    public string LastSaid => Process.Said is { Length: > 4096 } said ? said[^4096..] : Process.Said;

    /// <summary>Starts broker and canary.</summary>
    /// <param name="limits">More keys of <c>[limits]</c>.</param>
    /// <param name="tables">More tables.</param>
    /// <param name="listener">More keys of the listener for plain MQTT.</param>
    /// <param name="prepare">What is in the broker's directory before it starts.</param>
    /// <param name="environment">More variables of its environment.</param>
    /// <param name="command">What starts it: a program and its first arguments, which the executable's own follow; null: nothing.</param>
    /// <param name="scenario">What the peak is noted as.</param>
    public static async Task<Siege> BeginAsync(
        string limits = "",
        string tables = "",
        string listener = "",
        Action<string>? prepare = null,
        IReadOnlyDictionary<string, string>? environment = null,
        string[]? command = null,
        [CallerMemberName] string scenario = "")
    {
        string directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;
        prepare?.Invoke(directory);
        await File.WriteAllTextAsync(Path.Combine(directory, "broker.toml"), $"""
            [node]
            data_dir = "data"
            [[listener]]
            protocol = "mqtt"
            address = "127.0.0.1:0"
            {listener}
            [log]
            format = "text"
            [limits]
            max_memory = "96MB"
            {limits}
            {tables}
            """);
        ChildProcess process = PublishedBinary.Of(PublishedBinary.HostRid).StartBy(
            command ?? [], directory, environment ?? new Dictionary<string, string>(), "-c", "broker.toml");
        var siege = new Siege(directory, process, await PublishedBroker.PortOfAsync(process)) { _scenario = scenario };
        await siege.StartCanaryAsync();
        return siege;
    }

    /// <summary>A further listener, with the certificates of <see cref="MakeCertificates"/> where it wants any.</summary>
    public static string Listener(string protocol, string keys = "")
    {
        string tls = protocol is "mqtts" or "wss" or "https" ? "[listener.tls]\ncert = \"certs/server.crt\"\nkey = \"certs/server.key\"\n" : "";
        return $"[[listener]]\nprotocol = \"{protocol}\"\naddress = \"127.0.0.1:0\"\n{keys}\n{tls}";
    }

    /// <summary>Makes a CA and a certificate for localhost in a directory.</summary>
    public static void MakeCertificates(string directory)
    {
        foreach (string arguments in new[] { "cert ca", "cert server localhost 127.0.0.1" })
        {
            using ChildProcess made = PublishedBinary.Of(PublishedBinary.HostRid).Start(directory, arguments.Split(' '));
            Assert.Equal(0, made.ExitAsync().GetAwaiter().GetResult());
        }
    }

    /// <summary>Where a further listener listens, and the file of the authority its certificate is of; null: it needs none.</summary>
    public async Task<(int Port, string? Authority)> PlaceAsync(string protocol)
    {
        string begin = $"listening for {protocol} on 127.0.0.1:";
        string line = await Process.LineAsync(line => line.Contains(begin, StringComparison.OrdinalIgnoreCase));
        int port = int.Parse(line.AsSpan(line.IndexOf(begin, StringComparison.OrdinalIgnoreCase) + begin.Length), CultureInfo.InvariantCulture);
        return (port, protocol is "mqtts" or "https" or "wss" ? Path.Combine(Folder, "certs", "ca.crt") : null);
    }

    /// <summary>A connection of an attacker, closed at the latest when the siege ends.</summary>
    public Attacker Attack(int? port = null)
    {
        return Add(new Attacker(port ?? Port));
    }

    /// <summary>Takes an attacker that goes when the siege ends.</summary>
    public T Add<T>(T attacker)
        where T : IDisposable
    {
        lock (_attackers) _attackers.Add(attacker);
        return attacker;
    }

    /// <summary>A client with good intentions.</summary>
    public async Task<TestClient> OpenAsync(ProtocolVersion version = ProtocolVersion.V5, int? port = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", port ?? Port);
        return TestClient.Over(new NetworkStream(socket, ownsSocket: true), version, "client");
    }

    /// <summary>Waits until the broker has said something.</summary>
    public Task SaidAsync(string words) => Process.LineAsync(line => line.Contains(words, StringComparison.Ordinal));

    /// <summary>Has the canary wait once it has been served, until what is returned is disposed: it is most of what a broker at rest has to do.</summary>
    public async Task<IDisposable> SilenceAsync()
    {
        await Deadline.Within(_turn.WaitAsync(), "the canary to be served");
        return new Silence(_turn);
    }

    /// <summary>The attackers have gone: the canary was served all along, a new client is let in, and the process never was too large.</summary>
    public async Task EndAsync()
    {
        int served = Volatile.Read(ref _served);
        await Deadline.Until(() => Volatile.Read(ref _served) >= served + 2 || _canary.IsCompleted, "the canary to be served");
        lock (_attackers) _attackers.ForEach(attacker => attacker.Dispose());
        await LetInAsync();
        await _ending.CancelAsync();
        await _canary;
        Assert.False(Process.HasEnded, Process.Said);
        Assert.DoesNotContain("internal error", Process.Said, StringComparison.Ordinal);
        long peak = PeakResidentBytes;
        NotePeak(peak);
        Assert.True(peak < MostResidentBytes, string.Create(CultureInfo.InvariantCulture, $"{peak / 1024} KB resident at most.\n{Process.Said}"));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        lock (_attackers) _attackers.ForEach(attacker => attacker.Dispose());
        Process.Dispose();
        await _canary.ContinueWith(_ => { }, TaskScheduler.Default);
        _ending.Dispose();
        _turn.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task LetInAsync()
    {
        long begin = Stopwatch.GetTimestamp();
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                await using TestClient newcomer = await OpenAsync();
                await newcomer.SendAsync(newcomer.Packets.Connect("newcomer"));
                ReceivedPacket answer = await newcomer.ExpectAsync(PacketType.Connack).WaitAsync(NewcomerTimeout);
                if (answer.Reason == ReasonCode.Success) return;
            }
            catch (Exception exception) when (exception is IOException or ExpectationException or SocketException or TimeoutException)
            {
                // Refused without a word.
            }

            Assert.True(Stopwatch.GetElapsedTime(begin) < NewcomerTimeout, $"Nobody is let in; {attempt + 1} attempts. The broker said:\n{Process.Said}");
            // As a client would: refusals come by return.
            await Task.Delay(100);
        }
    }

    private async Task StartCanaryAsync()
    {
        TestClient canary = await OpenAsync();
        await canary.SendAsync(canary.Packets.Connect("canary"));
        await canary.ExpectConnackAsync();
        await canary.SubscribeAsync("canary/echo", options: 1);
        _canary = Task.Run(() => SingAsync(canary));
    }

    private async Task SingAsync(TestClient canary)
    {
        await using (canary)
        {
            for (int number = 0; !_ending.IsCancellationRequested; number++)
            {
                await _turn.WaitAsync();
                string text = number.ToString(CultureInfo.InvariantCulture);
                long begin = Stopwatch.GetTimestamp();
                await canary.SendAsync(canary.Packets.Publish("canary/echo", text, qos: 1, packetId: 1));
                // Answer and message come in any order.
                for (int expected = 2; expected > 0; expected--)
                {
                    ReceivedPacket packet = await canary.ReceiveAsync("the canary's message or its acknowledgement").WaitAsync(CanaryTimeout);
                    if (packet.Type == PacketType.Publish) await canary.AcknowledgeAsync(packet);
                    else Assert.Equal((PacketType.Puback, ReasonCode.Success), (packet.Type, packet.Reason));
                }

                TimeSpan waited = Stopwatch.GetElapsedTime(begin);
                Assert.True(waited < CanaryTimeout, $"The canary waited {waited}.");
                Interlocked.Increment(ref _served);
                _turn.Release();
            }
        }
    }

    private sealed class Silence(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }

    // Whoever wants to know how far from the bound scenarios stay names a file.
    private void NotePeak(long peak)
    {
        if (Environment.GetEnvironmentVariable("EDGEBROKER_PEAKS") is not { Length: > 0 } file) return;
        File.AppendAllText(file, string.Create(CultureInfo.InvariantCulture, $"{peak / 1024,8} KB {_scenario}\n"));
    }

    private long ReadStatus(string name)
    {
        string line = File.ReadLines($"/proc/{Process.Id}/status").First(line => line.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024;
    }
}
