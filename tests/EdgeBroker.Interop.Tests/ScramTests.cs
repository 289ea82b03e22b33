using System.Globalization;
using EdgeBroker.Protocol.Scram;
using EdgeBroker.Testing;
using EdgeBroker.Testing.Published;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace EdgeBroker.Interop.Tests;

/// <summary>SCRAM-SHA-256 as others do it: MQTTnet's AUTH packets, and Python's tables for SASLprep.</summary>
public sealed class ScramTests : IAsyncLifetime
{
    private const string Method = "SCRAM-SHA-256";

    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;
    private PublishedBroker? _broker;

    public async Task InitializeAsync()
    {
        string users = Path.Combine(_directory, "users");
        using ChildProcess add = PublishedBinary.Of(PublishedBinary.HostRid)
            .Start(_directory, keepsInput: true, "passwd", "add", "--stdin", "--scram", "users", "anna");
        add.Say("geheim");
        Assert.True(await add.ExitAsync() == 0, add.Said);
        _broker = await PublishedBroker.StartAsync($"[auth]\npassword_file = \"{users}\"\n");
    }

    public Task DisposeAsync()
    {
        _broker?.Dispose();
        Directory.Delete(_directory, recursive: true);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task MQTTnet_is_let_in_by_its_proof()
    {
        var peer = new ScramPeer("anna", "geheim");
        using IMqttClient client = new MqttClientFactory().CreateMqttClient();
        MqttClientConnectResult result = await client.ConnectAsync(Options(peer), Timeout());
        Assert.Equal((MqttClientConnectResultCode.Success, Method), (result.ResultCode, result.AuthenticationMethod));
        Assert.Equal(peer.Last, result.AuthenticationData);
        await client.PublishAsync(
            new MqttApplicationMessageBuilder().WithTopic("a").WithPayload("x").WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build(),
            Timeout());
        await client.DisconnectAsync(new MqttClientDisconnectOptions(), Timeout());
    }

    [Fact]
    public async Task MQTTnet_with_a_wrong_password_is_refused()
    {
        using IMqttClient client = new MqttClientFactory().CreateMqttClient();
        MqttClientConnectResult result = await client.ConnectAsync(Options(new ScramPeer("anna", "falsch")), Timeout());
        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, result.ResultCode);
        await _broker!.Process.LineAsync(line => line.Contains("wrong password for user \"anna\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("geheim", "scram-sha-256", 0)]
    [InlineData("falsch", "scram-sha-256", 1)]
    [InlineData("geheim", null, 0)]
    [InlineData("falsch", null, 1)]
    public async Task The_executable_proves_a_password_or_sends_it(string password, string? method, int expected)
    {
        string port = _broker!.Port.ToString(CultureInfo.InvariantCulture);
        string[] methods = method is null ? [] : ["--auth-method", method];
        using ChildProcess pub = PublishedBinary.Of(PublishedBinary.HostRid).Start(
            _directory, ["pub", "-h", "127.0.0.1", "-p", port, "-u", "anna", "-P", password, .. methods, "-q", "1", "-t", "a", "-m", "x"]);
        Assert.True(await pub.ExitAsync() == expected, pub.Said);
    }

    [Fact]
    public async Task Mosquittos_clients_may_send_the_password_as_ever()
    {
        string port = _broker!.Port.ToString(CultureInfo.InvariantCulture);
        foreach ((string password, bool comesIn) in new[] { ("geheim", true), ("falsch", false) })
        {
            using ChildProcess pub = ChildProcess.Program(
                Installed.Mosquitto("mosquitto_pub"), "-h", "127.0.0.1", "-p", port, "-u", "anna", "-P", password, "-q", "1", "-t", "a", "-m", "x");
            Assert.True(await pub.ExitAsync() == 0 == comesIn, pub.Said);
        }
    }

    /// <summary>Every character alone, and between two letters: what is accepted here is what Python's tables make of it.</summary>
    [Fact]
    public async Task Prepared_text_is_the_same_as_Pythons()
    {
        const string program = """
            import stringprep as s, sys
            from unicodedata import ucd_3_2_0 as u
            prohibited = (s.in_table_c12, s.in_table_c21_c22, s.in_table_c3, s.in_table_c4, s.in_table_c5,
                      s.in_table_c6, s.in_table_c7, s.in_table_c8, s.in_table_c9, s.in_table_a1)
            def prepare(t):
                t = u.normalize("NFKC", "".join(" " if s.in_table_c12(c) else c for c in t if not s.in_table_b1(c)))
                if not t or any(f(c) for f in prohibited for c in t): return None
                if any(map(s.in_table_d1, t)) and not (s.in_table_d1(t[0]) and s.in_table_d1(t[-1]) and not any(map(s.in_table_d2, t))): return None
                return t
            for c in range(0x110000):
                if 0xD800 <= c <= 0xDFFF: continue
                for t in (chr(c), "a" + chr(c) + "b"):
                    p = prepare(t)
                    print("-" if p is None else p.encode("utf-32-be").hex())
            """;
        Installed.PahoPython();
        string script = Path.Combine(_directory, "prepare.py");
        string output = Path.Combine(_directory, "prepared");
        await File.WriteAllTextAsync(script, program);
        using ChildProcess python = ChildProcess.Program("sh", "-c", $"/usr/bin/python3 {script} > {output}");
        Assert.True(await python.ExitAsync(TimeSpan.FromMinutes(3)) == 0, python.Said);
        using var expected = new StreamReader(output);
        int accepted = 0;
        for (int codePoint = 0; codePoint < 0x110000; codePoint++)
        {
            if (codePoint is >= 0xD800 and <= 0xDFFF) continue;
            string one = char.ConvertFromUtf32(codePoint);
            foreach (string text in new[] { one, $"a{one}b" })
            {
                string theirs = (await expected.ReadLineAsync())!;
                if (!SaslPrep.TryPrepare(text, out string ours)) continue;
                accepted++;
                Assert.True(theirs == Hex(ours), $"U+{codePoint:X4}: {Hex(ours)} here, {theirs} there");
            }
        }

        Assert.True(accepted > 180_000, $"{accepted} accepted");
    }

    private static string Hex(string text) => string.Concat(text.EnumerateRunes().Select(rune => rune.Value.ToString("x8", CultureInfo.InvariantCulture)));

    private static CancellationToken Timeout() => new CancellationTokenSource(ChildProcess.Timeout).Token;

    private MqttClientOptions Options(ScramPeer peer) => new MqttClientOptionsBuilder()
        .WithTcpServer("127.0.0.1", _broker!.Port)
        .WithProtocolVersion(MqttProtocolVersion.V500)
        .WithEnhancedAuthentication(Method, peer.First)
        .WithEnhancedAuthenticationHandler(new Handler(peer))
        .Build();

    private sealed class Handler(ScramPeer peer) : IMqttEnhancedAuthenticationHandler
    {
        public Task HandleEnhancedAuthenticationAsync(MqttEnhancedAuthenticationEventArgs eventArgs)
        {
            Assert.Equal((MqttAuthenticateReasonCode.ContinueAuthentication, Method), (eventArgs.ReasonCode, eventArgs.AuthenticationMethod));
            return eventArgs.SendAsync(
                new SendMqttEnhancedAuthenticationDataOptions { Data = peer.Answer(eventArgs.AuthenticationData) }, eventArgs.CancellationToken);
        }
    }
}
