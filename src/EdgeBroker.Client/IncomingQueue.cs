using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace EdgeBroker.Client;

/// <summary>Received messages waiting for the application, bounded in number and bytes: the reader stops at the next PUBLISH while it is full.</summary>
internal sealed class IncomingQueue(int capacityMessages, int capacityBytes)
{
    private readonly Channel<ReceivedMessage> _messages = Channel.CreateUnbounded<ReceivedMessage>(new UnboundedChannelOptions { SingleWriter = true });
    private readonly Lock _lock = new();
    private TaskCompletionSource? _space;
    private int _count;
    private long _bytes;

    public bool IsFull
    {
        get
        {
            lock (_lock) return IsFullNow;
        }
    }

    public int Count
    {
        get
        {
            lock (_lock) return _count;
        }
    }

    private bool IsFullNow => _count >= capacityMessages || _bytes >= capacityBytes;

    public void Add(ReceivedMessage message)
    {
        lock (_lock)
        {
            _count++;
            _bytes += message.LengthBytes;
        }

        _messages.Writer.TryWrite(message);
    }

    public bool TryTake([MaybeNullWhen(false)] out ReceivedMessage message)
    {
        if (!_messages.Reader.TryRead(out message)) return false;
        TaskCompletionSource? space = null;
        lock (_lock)
        {
            _count--;
            _bytes -= message.LengthBytes;
            if (!IsFullNow) (space, _space) = (_space, null);
        }

        space?.TrySetResult();
        return true;
    }

    /// <summary>True when there may be a message, false when there will be none any more; throws what ended the client.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => _messages.Reader.WaitToReadAsync(cancellationToken);

    public void Complete(MqttException? failure) => _messages.Writer.TryComplete(failure);

    public Task WaitForSpaceAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!IsFullNow) return Task.CompletedTask;
            _space ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _space.Task.WaitAsync(cancellationToken);
        }
    }
}
