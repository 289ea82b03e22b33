namespace EdgeBroker.Transport.Pipes;

// What the peer had sent is handled before another connection takes its place.
public sealed partial class PipeConnection
{
    // A peer that goes on sending does not hold its place for ever.
    private const int MaxLooks = 10;

    private readonly TimeSpan _arrivalTime;

    // Touched within an iteration only.
    private List<TaskCompletionSource>? _looks;
    private bool _hasLooked;
    private long _handedBytes;

    public override void Drain(Action done) => _ = DrainAsync(done);

    /// <summary>Looks into the pipe until nothing has come since the last look.</summary>
    private async Task DrainAsync(Action done)
    {
        // The caller may be in an iteration of another loop.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        long before;
        int looks = 0;
        do
        {
            before = Volatile.Read(ref _handedBytes);
            if (_arrivalTime > TimeSpan.Zero) await Task.Delay(_arrivalTime, _time).ConfigureAwait(false);
            await LookAsync().ConfigureAwait(false);
        }
        while (before != Volatile.Read(ref _handedBytes) && !IsClosing && ++looks < MaxLooks);
        done();
    }

    /// <summary>Is done when all that is in the pipe has been handed to the handler, or the connection is over.</summary>
    private Task LookAsync()
    {
        var look = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (_loop.Enter())
        {
            if (_over) return Task.CompletedTask;
            (_looks ??= []).Add(look);
        }

        // The read that waits, or the next one, returns at once with whatever is there.
        _pipe.Input.CancelPendingRead();
        return look.Task;
    }

    private void NoteHanded(int bytes, bool isLook, bool isHeld)
    {
        Volatile.Write(ref _handedBytes, _handedBytes + bytes);
        _hasLooked |= isLook;
        if (!_hasLooked || isHeld) return;
        _hasLooked = false;
        EndLooks();
    }

    private void EndLooks()
    {
        if (_looks is not { } looks) return;
        _looks = null;
        foreach (TaskCompletionSource look in looks) look.SetResult();
    }
}
