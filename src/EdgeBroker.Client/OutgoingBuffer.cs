using System.Buffers;
using System.Threading.Channels;

namespace EdgeBroker.Client;

/// <summary>
/// Encoded packets waiting for the one writer of a connection, which takes all of them at a time. Guarded by the session's lock, except for the waits.
/// </summary>
internal sealed class OutgoingBuffer(int softLimitBytes)
{
    private const int KeptBytes = 32 << 10;
    private readonly Channel<bool> _data =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private ArrayBufferWriter<byte> _filling = new(1024);
    private ArrayBufferWriter<byte> _sending = new(1024);
    private TaskCompletionSource? _space;

    /// <summary>Where packets are encoded; <see cref="Commit"/> must follow.</summary>
    public IBufferWriter<byte> Writer => _filling;

    /// <summary>Whether so much waits that nobody should add to it who can wait. Single packets may pass the limit.</summary>
    public bool IsFull => _filling.WrittenCount >= softLimitBytes;

    /// <summary>Nothing more is added; the writer ends when the rest is out.</summary>
    public bool IsCompleted { get; private set; }

    /// <summary>Wakes the writer.</summary>
    public void Commit() => _data.Writer.TryWrite(true);

    public void Complete()
    {
        IsCompleted = true;
        Commit();
        _space?.TrySetResult();
    }

    /// <summary>Everything waiting, valid until the next call.</summary>
    public ReadOnlyMemory<byte> TakeAll()
    {
        (_filling, _sending) = (_sending, _filling);
        if (_filling.Capacity > KeptBytes) _filling = new ArrayBufferWriter<byte>(1024);
        else _filling.ResetWrittenCount();
        _space?.TrySetResult();
        _space = null;
        return _sending.WrittenMemory;
    }

    /// <summary>Completes when the writer has taken what waits now.</summary>
    public Task Space() => (_space ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>Waits for the next <see cref="Commit"/>.</summary>
    public ValueTask<bool> WaitForDataAsync(CancellationToken cancellationToken) => _data.Reader.ReadAsync(cancellationToken);
}
