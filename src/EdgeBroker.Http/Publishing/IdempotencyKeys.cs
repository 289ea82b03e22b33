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

    /// <summary>Bytes it holds.</summary>
    public int SizeBytes { get; set; }

    public bool IsFor(byte[] other) => digest.AsSpan().SequenceEqual(other);

    public void Set(byte[]? answer) => _answer.TrySetResult(answer);
}

/// <summary>
/// Keys under which something was asked for, so that whoever does not know what became of it may ask again: it is done once. Kept for ten minutes, in memory
/// only, and bounded; the oldest makes room.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class IdempotencyKeys(TimeProvider time)
{
    /// <summary>Characters of a key, at most.</summary>
    public const int MostCharacters = 64;

    private const int Most = 10_000;
    private const long MostBytes = 4 * 1024 * 1024;

    // The entry, its key and its digest.
    private const int OverheadBytes = 400;

    private static readonly TimeSpan Validity = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Identity, string Key), IdempotentAnswer> _answers = [];
    private readonly Queue<((string Identity, string Key) Key, IdempotentAnswer Answer)> _order = new();
    private long _bytes;

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
    /// <param name="claim">The claim: to be settled, where it is new; else what it was used for.</param>
    /// <returns>Whether the key is new.</returns>
    public bool TryClaim(string identity, string key, byte[] digest, out IdempotentAnswer claim)
    {
        lock (_lock)
        {
            while (_order.TryPeek(out var oldest) && (time.GetElapsedTime(oldest.Answer.At) >= Validity || _order.Count >= Most || _bytes >= MostBytes))
            {
                _order.Dequeue();
                Forget(oldest.Key, oldest.Answer);
            }

            if (_answers.TryGetValue((identity, key), out IdempotentAnswer? known))
            {
                claim = known;
                return false;
            }

            claim = new IdempotentAnswer(digest) { At = time.GetTimestamp(), SizeBytes = OverheadBytes + (2 * identity.Length) };
            _answers.Add((identity, key), claim);
            _order.Enqueue(((identity, key), claim));
            _bytes += claim.SizeBytes;
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
            if (answer is null)
            {
                Forget((identity, key), claim);
            }
            else if (IsKept((identity, key), claim))
            {
                claim.SizeBytes += answer.Length;
                _bytes += answer.Length;
            }
        }

        claim.Set(answer);
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
