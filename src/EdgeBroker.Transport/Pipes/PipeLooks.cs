namespace EdgeBroker.Transport.Pipes;

/// <summary>
/// Who waits until what the peer had sent has been handed to the handler, before another connection takes its place: with a look, the pipe's read returns at
/// once with whatever is there. For iterations of the connection only, but for <see cref="DrainAsync"/>.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="arrivalTime">How long bytes that have arrived may be on their way to the pipe.</param>
internal sealed class PipeLooks(TimeProvider time, TimeSpan arrivalTime)
{
    // A peer that goes on sending does not hold its place for ever.
    private const int MaxLooks = 10;

    private List<TaskCompletionSource>? _waiting;
    private bool _hasLooked;
    private long _handedBytes;

    /// <summary>Looks into the pipe until nothing has come since the last look.</summary>
    /// <param name="look">Begins a look, in an iteration, and has the read return.</param>
    /// <param name="isClosing">Whether nothing more will be handed.</param>
    /// <param name="done">What comes after that.</param>
    public async Task DrainAsync(Func<Task> look, Func<bool> isClosing, Action done)
    {
        // The caller may be in an iteration of another loop.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        long before;
        int looks = 0;
        do
        {
            before = Volatile.Read(ref _handedBytes);
            if (arrivalTime > TimeSpan.Zero) await Task.Delay(arrivalTime, time).ConfigureAwait(false);
            await look().ConfigureAwait(false);
        }
        while (before != Volatile.Read(ref _handedBytes) && !isClosing() && ++looks < MaxLooks);
        done();
    }

    /// <summary>Begins a look. The read that waits, or the next one, is to be cancelled after that.</summary>
    /// <returns>Done when all that was in the pipe has been handed, or the connection is over.</returns>
    public Task Begin()
    {
        var look = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        (_waiting ??= []).Add(look);
        return look.Task;
    }

    /// <summary>A read has been handed.</summary>
    /// <param name="bytes">How much of it the handler took.</param>
    /// <param name="isLook">Whether it returned because of a look.</param>
    /// <param name="isHeld">Whether the handler left some of it for later.</param>
    public void NoteHanded(int bytes, bool isLook, bool isHeld)
    {
        Volatile.Write(ref _handedBytes, _handedBytes + bytes);
        _hasLooked |= isLook;
        if (!_hasLooked || isHeld) return;
        _hasLooked = false;
        End();
    }

    /// <summary>The connection is over, or all has been handed.</summary>
    public void End()
    {
        if (_waiting is not { } waiting) return;
        _waiting = null;
        foreach (TaskCompletionSource look in waiting) look.SetResult();
    }
}
