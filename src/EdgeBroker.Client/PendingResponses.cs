using System.Buffers.Binary;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>Requests that wait for a response, by their correlation data. Any thread.</summary>
internal sealed class PendingResponses
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, TaskCompletionSource<ReceivedMessage>> _waiting = [];
    private byte[]? _topic;
    private Task<string>? _listening;
    private MqttException? _end;
    private long _lastId;

    /// <summary>Subscribes, the first time; a subscription that failed is tried again by the next request.</summary>
    public Task<string> ListenAsync(Func<Task<string>> subscribe)
    {
        lock (_lock)
        {
            if (_listening is null or { IsFaulted: true } or { IsCanceled: true }) _listening = subscribe();
            return _listening;
        }
    }

    /// <summary>Takes what comes to this topic from here on.</summary>
    public void Take(byte[] topic) => Volatile.Write(ref _topic, topic);

    /// <summary>Adds a request.</summary>
    /// <returns>Its correlation data, and what the response completes.</returns>
    public (byte[] Correlation, Task<ReceivedMessage> Response) Add()
    {
        var response = new TaskCompletionSource<ReceivedMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        byte[] correlation = new byte[sizeof(long)];
        lock (_lock)
        {
            if (_end is not null) throw _end;
            BinaryPrimitives.WriteInt64BigEndian(correlation, ++_lastId);
            _waiting.Add(_lastId, response);
        }

        return (correlation, response.Task);
    }

    /// <summary>Nobody waits for it any more.</summary>
    public void Remove(byte[] correlation)
    {
        lock (_lock) _waiting.Remove(BinaryPrimitives.ReadInt64BigEndian(correlation));
    }

    /// <summary>Whether a message is a response; it is given to whoever waits for it, and to nobody where it is too late.</summary>
    public bool TryTake(ReceivedMessage message)
    {
        if (Volatile.Read(ref _topic) is not { } topic || !message.Topic.Span.SequenceEqual(topic)) return false;
        TaskCompletionSource<ReceivedMessage>? response = null;
        ReadOnlySpan<byte> correlation = message.ReadProperties().FirstOrDefault(one => one.Id == PropertyId.CorrelationData).Value.Span;
        lock (_lock)
        {
            if (correlation.Length == sizeof(long)) _waiting.Remove(BinaryPrimitives.ReadInt64BigEndian(correlation), out response);
        }

        response?.TrySetResult(message);
        return true;
    }

    /// <summary>The client has ended.</summary>
    public void FailAll(MqttException failure)
    {
        List<TaskCompletionSource<ReceivedMessage>> waiting;
        lock (_lock)
        {
            _end = failure;
            waiting = [.. _waiting.Values];
            _waiting.Clear();
        }

        foreach (TaskCompletionSource<ReceivedMessage> response in waiting)
        {
            response.TrySetException(failure);
            _ = response.Task.Exception;
        }
    }
}
