using System.Threading.Channels;

namespace EdgeBroker.Bridge.Connections;

/// <summary>Wakes one waiter; set any number of times, it wakes once.</summary>
internal sealed class Signal
{
    private readonly Channel<bool> _set =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    /// <summary>Wakes. Any thread; may be called under a lock, since the waiter goes on elsewhere.</summary>
    public void Set() => _set.Writer.TryWrite(true);

    /// <summary>Waits until it is set.</summary>
    public async ValueTask WaitAsync(CancellationToken cancel) => await _set.Reader.ReadAsync(cancel).ConfigureAwait(false);

    /// <summary>Waits until it is set, or the time is over.</summary>
    public async ValueTask WaitAsync(TimeSpan limit, TimeProvider time, CancellationToken cancel)
    {
        if (_set.Reader.TryRead(out _)) return;
        using var over = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, over.Token);
        try
        {
            await _set.Reader.ReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // The time is over.
        }
    }
}
