using System.Collections.Concurrent;
using System.Text;
using System.Threading.Channels;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;

namespace EdgeBroker.Testing;

/// <summary>A cluster that says what the test says, when the test says it.</summary>
public sealed class TestCluster : ICluster
{
    private readonly Channel<TestClaim> _claims = Channel.CreateUnbounded<TestClaim>();
    private readonly ConcurrentQueue<string> _asked = new();

    /// <summary>What is answered at once to a claim of this client; null: the test answers the <see cref="TestClaim"/>. May throw.</summary>
    public Func<string, SessionClaim?> AtOnce { get; set; } = _ => null;

    /// <summary>What SUBACK waits for.</summary>
    public Func<string, Completion?> Barrier { get; set; } = _ => null;

    /// <summary>What was given back, in order.</summary>
    public ConcurrentQueue<(string ClientId, long Epoch)> Released { get; } = new();

    /// <summary>What came to something, in order.</summary>
    public ConcurrentQueue<(string ClientId, long Epoch)> Taken { get; } = new();

    /// <summary>The clients whose sessions ended, in order.</summary>
    public ConcurrentQueue<string> Over { get; } = new();

    /// <summary>The tokens of all claims, in order.</summary>
    public ConcurrentQueue<CancellationToken> Tokens { get; } = new();

    /// <summary>The filters whose barrier was asked for, in order.</summary>
    public IReadOnlyCollection<string> Asked => _asked;

    /// <summary>A grant of this number.</summary>
    public static SessionClaim Granted(long grant) => SessionClaim.Granted(new Epoch(grant, Stamp.None));

    /// <summary>The next claim that the test is to answer.</summary>
    public Task<TestClaim> NextAsync() => Deadline.Within(_claims.Reader.ReadAsync().AsTask(), "a claim");

    /// <inheritdoc/>
    public ValueTask<SessionClaim> ClaimAsync(in SessionRequest request, CancellationToken cancel)
    {
        Tokens.Enqueue(cancel);
        if (AtOnce(request.ClientId) is { } answer) return new(answer);
        var claim = new TestClaim(request.ClientId, request.CleanStart, cancel);
        _claims.Writer.TryWrite(claim);
        return new(claim.Task);
    }

    /// <inheritdoc/>
    public void Connected(string clientId, Epoch epoch, ConnectionLease lease) => Taken.Enqueue((clientId, epoch.Grant));

    /// <inheritdoc/>
    public void Ended(string clientId) => Over.Enqueue(clientId);

    /// <inheritdoc/>
    public void Release(string clientId, Epoch epoch) => Released.Enqueue((clientId, epoch.Grant));

    /// <inheritdoc/>
    public Completion? Subscribed(ReadOnlySpan<byte> filter)
    {
        string text = Encoding.UTF8.GetString(filter);
        _asked.Enqueue(text);
        return Barrier(text);
    }
}

/// <summary>A claim that waits for the test.</summary>
/// <param name="clientId">For which client.</param>
/// <param name="cleanStart">Whether it starts clean.</param>
/// <param name="cancel">Whether the answer still matters.</param>
public sealed class TestClaim(string clientId, bool cleanStart, CancellationToken cancel)
{
    private readonly TaskCompletionSource<SessionClaim> _answer = new();

    public string ClientId => clientId;

    public bool CleanStart => cleanStart;

    public CancellationToken Cancel => cancel;

    internal Task<SessionClaim> Task => _answer.Task;

    /// <summary>Answers; what follows from it has happened on this thread, or is posted to the connection's, when this returns.</summary>
    public void Answer(SessionClaim claim) => _answer.SetResult(claim);

    /// <summary>Fails.</summary>
    public void Fail(Exception exception) => _answer.SetException(exception);

    /// <summary>Waits until the answer does not matter any more.</summary>
    public async Task WhenCancelledAsync()
    {
        var cancelled = new TaskCompletionSource();
        await using CancellationTokenRegistration registration = cancel.Register(cancelled.SetResult);
        await Deadline.Within(cancelled.Task, $"the claim of {clientId} to be cancelled");
    }
}

/// <summary>A completion that the test completes.</summary>
public sealed class TestCompletion : Completion;
