using System.Net;
using System.Net.Sockets;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Security;
using EdgeBroker.Security.Passwords;
using EdgeBroker.Security.Verification;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Security.Tests;

/// <summary>Someone tries passwords as fast as he can, from an address of his own, over real sockets and with real hashes.</summary>
public sealed class FloodTests
{
    private const int Attackers = 40;

    [Fact]
    public async Task Trying_passwords_does_not_keep_others_out()
    {
        var problems = new List<FileProblem>();
        PasswordFile users = PasswordFile.Parse($"anna:{PasswordHash.Bcrypt("geheim", 10).Text}\nbert:{PasswordHash.Bcrypt("geheim", 10).Text}", problems);
        using var queue = new VerificationQueue(1, NullLogger.Instance);
        var counters = new AuthenticationCounters();
        var authenticator = new CredentialAuthenticator(new CredentialSources(users), new AccessRules(AclRuleSet.Unrestricted), queue, new VerificationCache(100), counters, TimeProvider.System);
        await using var broker = new TestBroker(new TestBrokerOptions
        {
            OverSockets = true,
            Authenticator = authenticator,
            AllowAnonymous = false,
            // The queue alone has to do it.
            Limits = new LimitOptions { AuthFailuresPerIp = null },
        });
        using var stop = new CancellationTokenSource();
        int port = broker.Port;
        Assert.Equal(0, await ConnectAsync(port, "127.0.0.1", "anna", "geheim"));
        Task[] flood = [.. Enumerable.Range(0, Attackers).Select(_ => FloodAsync(port, stop.Token))];
        // The flood stands: its share of the queue is full and more are turned away.
        await WaitForAsync(() => counters.Busy > 0);
        // Bert was never here. He waits for the one whose turn it is and for one of the flood at most; a third may end while his answer travels.
        long before = counters.Refused;
        Assert.Equal(0, await ConnectAsync(port, "127.0.0.1", "bert", "geheim"));
        Assert.InRange(counters.Refused - before, 0, 4);
        // Anna was, and waits for nobody.
        before = counters.Remembered;
        Assert.Equal(0, await ConnectAsync(port, "127.0.0.1", "anna", "geheim"));
        Assert.Equal(before + 1, counters.Remembered);
        await stop.CancelAsync();
        await Deadline.Within(Task.WhenAll(flood), "the flood to end");
    }

    [Fact]
    public async Task Failing_too_often_ends_the_flood_where_it_begins()
    {
        var problems = new List<FileProblem>();
        PasswordFile users = PasswordFile.Parse($"anna:{PasswordHash.Bcrypt("geheim", 10).Text}", problems);
        using var queue = new VerificationQueue(1, NullLogger.Instance);
        var counters = new AuthenticationCounters();
        var authenticator = new CredentialAuthenticator(new CredentialSources(users), new AccessRules(AclRuleSet.Unrestricted), queue, new VerificationCache(100), counters, TimeProvider.System);
        // A failure an hour, so that no run of this test is long enough for a second.
        var limits = new LimitOptions { AuthFailuresPerIp = new RateLimit(1, TimeSpan.FromHours(1), 1) };
        await using var broker = new TestBroker(new TestBrokerOptions { OverSockets = true, Authenticator = authenticator, AllowAnonymous = false, Limits = limits });
        using var stop = new CancellationTokenSource();
        Task[] flood = [.. Enumerable.Range(0, Attackers).Select(_ => FloodAsync(broker.Port, stop.Token))];
        LimitCounters did = broker.Broker.Limits.Counters;
        await Deadline.Until(() => did[LimitKind.AuthFailuresPerIp, LimitAction.Refused] > 50, "the flood to be refused unheard");
        // What was under way when the first failed: the one in its turn, those in the queue, and who was let in between. None of those after it.
        long guesses = counters.Refused;
        Assert.InRange(guesses, 1, (2 * VerificationQueue.MaxPerSource) + 2);
        Assert.Equal(0, await ConnectAsync(broker.Port, "127.0.0.1", "anna", "geheim"));
        await Deadline.Until(() => did[LimitKind.AuthFailuresPerIp, LimitAction.Refused] > 100, "more of the flood to be refused");
        Assert.InRange(counters.Refused, guesses, (2 * VerificationQueue.MaxPerSource) + 2);
        await stop.CancelAsync();
        await Deadline.Within(Task.WhenAll(flood), "the flood to end");
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
        using var patience = new CancellationTokenSource(Deadline.Patience);
        for (int read = 0; read < answer.Length;)
        {
            int got = await socket.ReceiveAsync(answer.AsMemory(read), patience.Token);
            Assert.NotEqual(0, got);
            read += got;
        }

        return answer[3];
    }

    private static async Task WaitForAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(Deadline.Patience);
        while (!condition())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
