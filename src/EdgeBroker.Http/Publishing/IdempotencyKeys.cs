using EdgeBroker.Http.Routing;

namespace EdgeBroker.Http.Publishing;

/// <summary>What a key was used for, and the answer it got.</summary>
/// <param name="digest">Tells one request from another.</param>
internal sealed class IdempotentAnswer(byte[] digest)
{
    private readonly TaskCompletionSource<byte[]?> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>When it was claimed, by the monotonic clock.</summary>
    public required long At { get; init; }

    /// <summary>The answer, once there is one; null: what was asked for was not done.</summary>
    public Task<byte[]?> Answer => _answer.Task;

    /// <summary>Why it was not done; null: it was, or is under way.</summary>
    public HttpProblem? Problem { get; set; }

    /// <summary>Bytes it holds.</summary>
    public int SizeBytes { get; set; }

    /// <summary>Bytes of the body that what is under way holds.</summary>
    public required int BodyBytes { get; init; }

    /// <summary>Whether what was asked for is under way.</summary>
    public bool IsOpen { get; set; } = true;

    public bool IsFor(byte[] other) => digest.AsSpan().SequenceEqual(other);

    public void Set(byte[]? answer) => _answer.TrySetResult(answer);
}

/// <summary>
/// Keys under which something was asked for, so that whoever does not know what became of it may ask again: it is done once. Kept for ten minutes, in memory
/// only, and bounded; the oldest makes room. What is under way is kept as long as that takes, and bounded apart.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class IdempotencyKeys(TimeProvider time)
{
    /// <summary>Characters of a key, at most.</summary>
    public const int MostCharacters = 64;

    private const int Most = 10_000;
    private const long MostBytes = 4 * 1024 * 1024;

    // While the store hangs, what is under way goes on although nobody waits for it any more. Of bodies one may be longer.
    private const int MostOpen = 1_000;
    private const long MostOpenBytes = 16 * 1024 * 1024;

    // The entry, its key and its digest.
    private const int OverheadBytes = 400;

    private static readonly TimeSpan Validity = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Identity, string Key), IdempotentAnswer> _answers = [];
    private readonly Queue<((string Identity, string Key) Key, IdempotentAnswer Answer)> _order = new();
    private long _bytes;
    private int _open;
    private long _openBytes;

    /// <summary>Keys that are kept.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _answers.Count;
        }
    }

    /// <summary>Claims a key.</summary>
    /// <param name="identity">Whose it is.</param>
    /// <param name="key">The key.</param>
    /// <param name="digest">What it is used for.</param>
    /// <param name="bodyBytes">The length of what it holds until it is settled.</param>
    /// <param name="claim">The claim: to be settled, where it is new; else what it was used for.</param>
    /// <returns>Whether the key is new.</returns>
    /// <exception cref="HttpProblem">It is new, and too much is under way.</exception>
    public bool TryClaim(string identity, string key, byte[] digest, int bodyBytes, out IdempotentAnswer claim)
    {
        lock (_lock)
        {
            MakeRoom();
            if (_answers.TryGetValue((identity, key), out IdempotentAnswer? known))
            {
                claim = known;
                return false;
            }

            if (_open >= MostOpen || (_open > 0 && _openBytes + bodyBytes > MostOpenBytes))
            {
                throw new HttpProblem(ProblemKind.Busy, "too much is under way that waits for the store") { RetryAfterSeconds = 5 };
            }

            claim = new IdempotentAnswer(digest) { At = time.GetTimestamp(), SizeBytes = OverheadBytes + (2 * identity.Length), BodyBytes = bodyBytes };
            _answers.Add((identity, key), claim);
            _order.Enqueue(((identity, key), claim));
            _bytes += claim.SizeBytes;
            _open++;
            _openBytes += bodyBytes;
            return true;
        }
    }

    /// <summary>What was asked for under a claimed key has come to an end.</summary>
    /// <param name="identity">Whose it is.</param>
    /// <param name="key">The key.</param>
    /// <param name="claim">The claim.</param>
    /// <param name="answer">The answer; null: nothing was done, and the key may be used again.</param>
    public void Settle(string identity, string key, IdempotentAnswer claim, byte[]? answer)
    {
        lock (_lock)
        {
            claim.IsOpen = false;
            _open--;
            _openBytes -= claim.BodyBytes;
            if (answer is null)
            {
                Forget((identity, key), claim);
            }
            else
            {
                claim.SizeBytes += answer.Length;
                _bytes += answer.Length;
            }
        }

        claim.Set(answer);
    }

    private void MakeRoom()
    {
        for (int looks = _order.Count; looks > 0 && _order.TryPeek(out var oldest); looks--)
        {
            if (time.GetElapsedTime(oldest.Answer.At) < Validity && _order.Count < Most && _bytes < MostBytes) return;
            _order.Dequeue();
            // Without its key, what is under way would be done twice.
            if (oldest.Answer.IsOpen) _order.Enqueue(oldest);
            else Forget(oldest.Key, oldest.Answer);
        }
    }

    private bool IsKept((string Identity, string Key) key, IdempotentAnswer claim) =>
        _answers.TryGetValue(key, out IdempotentAnswer? kept) && ReferenceEquals(kept, claim);

    private void Forget((string Identity, string Key) key, IdempotentAnswer claim)
    {
        if (!IsKept(key, claim)) return;
        _answers.Remove(key);
        _bytes -= claim.SizeBytes;
    }
}
