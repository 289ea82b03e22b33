using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Security.Passwords;
using EdgeBroker.Security.Verification;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Security.Tests;

/// <summary>
/// Someone tries passwords as fast as he can, from an address of his own, over real sockets and with real hashes. When the thread that verifies goes on is the
/// test's choice: how fast it is beside the flood is the machine's.
/// </summary>
public sealed class FloodTests
{
    private const int Attackers = 40;

    // Whoever waits for the thread that is held is not sent away meanwhile.
    private static readonly MqttOptions Patient = TestBrokerOptions.Quiet with { ConnectTimeout = TimeSpan.FromHours(1) };

    private readonly AuthenticationCounters _counters = new();

    [Fact]
    public async Task Trying_passwords_does_not_keep_others_out()
    {
        using var queue = new VerificationQueue(1, NullLogger.Instance);
        var authenticator = new Watched(Authenticator(queue, "anna", "bert"));
        // The queue alone has to do it.
        await using TestBroker broker = Broker(authenticator, new LimitOptions { AuthFailuresPerIp = null });
        using var stop = new CancellationTokenSource();
        int port = broker.Port;
        Assert.Equal(0, await ConnectAsync(port, "127.0.0.1", "anna", "geheim"));
        var first = new Hold(queue);
        await first.TakenAsync();
        Task[] flood = [.. Enumerable.Range(0, Attackers).Select(_ => FloodAsync(port, stop.Token))];
        // The flood stands: its share of the queue is full and more are turned away.
        await Deadline.Until(() => _counters.Busy > 0, "the flood to be turned away");
        // Bert was never here.
        Task<int> bert = ConnectAsync(port, "127.0.0.1", "bert", "geheim");
        await Deadline.Until(() => authenticator.Asked.ContainsKey("bert"), "bert to be in the queue");
        var second = new Hold(queue);
        first.Release();
        Assert.Equal(0, await bert);
        await second.TakenAsync();
        // He has waited for one of the flood, whose turn was before his, and for no other.
        Assert.Equal((2, 1), (_counters.Admitted, _counters.Refused));
        // Anna was here before, and waits for nobody.
        Assert.Equal(0, await ConnectAsync(port, "127.0.0.1", "anna", "geheim"));
        Assert.Equal((3, 1, 1), (_counters.Admitted, _counters.Remembered, _counters.Refused));
        second.Release();
        await stop.CancelAsync();
        await Deadline.Within(Task.WhenAll(flood), "the flood to end");
    }

    [Fact]
    public async Task Failing_too_often_ends_the_flood_where_it_begins()
    {
        using var queue = new VerificationQueue(1, NullLogger.Instance);
        // A failure an hour, so that no run of this test is long enough for a second.
        var limits = new LimitOptions { AuthFailuresPerIp = new RateLimit(1, TimeSpan.FromHours(1), 1) };
        await using TestBroker broker = Broker(Authenticator(queue, "anna"), limits);
        using var stop = new CancellationTokenSource();
        var first = new Hold(queue);
        await first.TakenAsync();
        Task[] flood = [.. Enumerable.Range(0, Attackers).Select(_ => FloodAsync(broker.Port, stop.Token))];
        await Deadline.Until(() => _counters.Busy > 0, "the flood to be turned away");
        var second = new Hold(queue);
        first.Release();
        // One of the flood has been verified, and failed. None of those who come after that is heard.
        await second.TakenAsync();
        LimitCounters did = broker.Broker.Limits.Counters;
        await Deadline.Until(() => did[LimitKind.AuthFailuresPerIp, LimitAction.Refused] > 50, "the flood to be refused unheard");
        Assert.Equal(1, _counters.Refused);
        second.Release();
        Assert.Equal(0, await ConnectAsync(broker.Port, "127.0.0.1", "anna", "geheim"));
        await Deadline.Until(() => did[LimitKind.AuthFailuresPerIp, LimitAction.Refused] > 100, "more of the flood to be refused");
        // Only those who were in the queue when the first failed.
        Assert.InRange(_counters.Refused, 1, VerificationQueue.MaxPerSource + 1);
        await stop.CancelAsync();
        await Deadline.Within(Task.WhenAll(flood), "the flood to end");
        Assert.InRange(_counters.Refused, 1, VerificationQueue.MaxPerSource + 1);
    }

    private static TestBroker Broker(IAuthenticator authenticator, LimitOptions limits) =>
        new(new TestBrokerOptions { OverSockets = true, Authenticator = authenticator, AllowAnonymous = false, Limits = limits, Mqtt = Patient });

    private CredentialAuthenticator Authenticator(VerificationQueue queue, params string[] names)
    {
        var problems = new List<FileProblem>();
        PasswordFile users = PasswordFile.Parse(string.Join('\n', names.Select(name => $"{name}:{PasswordHash.Bcrypt("geheim", 4).Text}")), problems);
        Assert.Empty(problems);
        return new CredentialAuthenticator(
            new CredentialSources(users),
            new Replaceable<AclRuleSet>(AclRuleSet.Unrestricted),
            queue,
            new VerificationCache(100),
            _counters,
            TimeProvider.System);
    }

    private static async Task FloodAsync(int port, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            // 4: wrong password, 3: told to come back later.
            Assert.Contains(await ConnectAsync(port, "127.0.0.2", "anna", "falsch"), new[] { 3, 4 });
        }
    }

    /// <summary>The return code of CONNACK.</summary>
    private static async Task<int> ConnectAsync(int port, string from, string user, string password)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        await socket.ConnectAsync(IPAddress.Loopback, port);
        await socket.SendAsync(Packets.V311.Connect(Guid.NewGuid().ToString("N"), userName: user, password: System.Text.Encoding.UTF8.GetBytes(password)));
        byte[] answer = new byte[4];
        using var timeout = new CancellationTokenSource(Deadline.Timeout);
        for (int read = 0; read < answer.Length;)
        {
            int got = await socket.ReceiveAsync(answer.AsMemory(read), timeout.Token);
            Assert.NotEqual(0, got);
            read += got;
        }

        return answer[3];
    }

    /// <summary>Keeps the queue's thread, when its own turn comes, until released.</summary>
    private sealed class Hold
    {
        private readonly TaskCompletionSource _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _released = new();

        public Hold(VerificationQueue queue) => Assert.True(queue.TryEnqueue(new ClientNetwork((ulong)Random.Shared.NextInt64(), 0), default, Wait, out _));

        public Task TakenAsync() => Deadline.Within(_taken.Task, "the queue's thread");

        public void Release() => _released.SetResult();

        private AuthenticationResult Wait()
        {
            _taken.SetResult();
            // A test that has failed does not release it.
            _released.Task.Wait(2 * Deadline.Timeout);
            return AuthenticationResult.Refused(ReasonCode.UnspecifiedError);
        }
    }

    /// <summary>Knows whose attempts are in the queue.</summary>
    private sealed class Watched(CredentialAuthenticator inner) : IAuthenticator
    {
        public ConcurrentDictionary<string, bool> Asked { get; } = new(StringComparer.Ordinal);

        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellation)
        {
            ValueTask<AuthenticationResult> verdict = inner.AuthenticateAsync(request, cancellation);
            Asked[request.UserName!] = true;
            return verdict;
        }

        public AuthenticationResult Review(AuthenticationResult identity) => inner.Review(identity);
    }
}
