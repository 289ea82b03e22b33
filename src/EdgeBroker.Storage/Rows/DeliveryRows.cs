using EdgeBroker.Core.Journaling;
using EdgeBroker.Storage.Journal;

namespace EdgeBroker.Storage.Rows;

/// <summary>Rows of "delivery" in the making: each says who receives messages with consecutive numbers of one segment.</summary>
internal sealed class DeliveryRows
{
    private readonly BlobWriter _receivers = new();
    private long _first;
    private long _last;

    /// <summary>The rows that are complete.</summary>
    public List<(long FirstMessage, byte[] Receivers)> Complete { get; } = [];

    /// <summary>Begins a message; its receivers follow. Numbers ascend.</summary>
    /// <param name="id">The message's number.</param>
    /// <param name="message">What is known of it.</param>
    public void Begin(long id, in WaitingMessage message)
    {
        if (id != _last + 1 || MessageSegments.Of(_first) != MessageSegments.Of(id)) Close();
        if (_first == 0) _first = id;
        _last = id;
        Receivers.WriteMessage(_receivers, message);
    }

    /// <summary>Adds a receiver of the message begun last.</summary>
    public void Add(long session, StoredDelivery delivery) => Receivers.Write(_receivers, session, delivery);

    /// <summary>Completes the last row.</summary>
    public void Close()
    {
        if (_first == 0) return;
        Complete.Add((_first, _receivers.ToArray()));
        _receivers.Clear();
        _first = 0;
    }
}
