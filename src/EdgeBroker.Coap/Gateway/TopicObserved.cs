using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Coap.Resources;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Coap.Gateway;

/// <summary>What an observer of topics follows: a subscription of the broker's with a bounded queue. Used by the server's thread.</summary>
/// <param name="feed">Brings the messages; its own from here on.</param>
/// <param name="filter">The topic or filter.</param>
/// <param name="qos">The QoS of the subscription.</param>
/// <param name="isFilter">Whether messages come with their topic.</param>
/// <param name="maxBytes">Bytes of a payload that it is told at most.</param>
/// <param name="executor">Where it is told that there is something new.</param>
/// <param name="nowMs">The broker's clock.</param>
internal sealed class TopicObserved(
    IMessageFeed feed, string filter, QoS qos, bool isFilter, int maxBytes, ISerialExecutor executor, Func<long> nowMs) : IObserved
{
    /// <summary>What is said of a value that is not told.</summary>
    public const string TooLong = "the value has more bytes than max_body_size of [listener.coap]";

    private readonly bool _isConfirmable = qos > QoS.AtMostOnce;
    private Observation? _observation;
    private CoapResponse? _first;
    private CoapResponse? _last;
    private bool _isWaiting;
    private bool _hasState;
    private ushort? _format;
    private long _tooLong;

    /// <summary>Messages that wait for the observer.</summary>
    public int QueuedMessages => feed.QueuedMessages;

    /// <summary>Their bytes.</summary>
    public long QueuedBytes => feed.QueuedBytes;

    /// <summary>Messages it was not told of.</summary>
    public long Dropped => feed.Dropped + Volatile.Read(ref _tooLong);

    /// <summary>What it follows, as a subscription.</summary>
    public SubscriptionView Describe() => new(filter, (int)qos, NoLocal: false, RetainAsPublished: true, RetainHandling: isFilter ? 0 : 2, Identifiers: null);

    /// <summary>Goes on for a registration that has been answered.</summary>
    public void Begin(Observation observation)
    {
        _observation = observation;
        observation.Signal();
    }

    /// <summary>The state the observer was told when it registered, whose format it goes on with.</summary>
    public void Told(Message state) => (_hasState, _format) = (true, MessageContent.FormatOf(state));

    /// <summary>Has the observer told a state before all else.</summary>
    public void TellFirst(CoapResponse state) => _first = state;

    /// <summary>Lets go of it without telling the observer.</summary>
    public void End() => _observation?.End();

    /// <summary>Takes the first message of several topics, as far as one is at hand.</summary>
    public bool TryTakeFirst(out CoapResponse envelope)
    {
        bool isFound = TryRead(out LocalDelivery delivery, out Action? taken);
        taken?.Invoke();
        envelope = isFound ? MessageContent.ToEnvelope(delivery, nowMs()) : new CoapResponse(CoapCode.Content);
        return isFound;
    }

    /// <summary>Rules have changed: ends the observation if it is not permitted any more.</summary>
    public void Review(Permissions permissions)
    {
        if (!permissions.MaySubscribe(System.Text.Encoding.UTF8.GetBytes(filter))) EndWith(CoapResponse.Because(CoapCode.Forbidden, "not permitted any more"));
    }

    /// <summary>Ends the observation and tells the observer why.</summary>
    public void EndWith(CoapResponse last)
    {
        _last = last;
        _observation?.Signal();
    }

    /// <inheritdoc/>
    public bool TryNext(out Notification notification)
    {
        notification = default;
        if (_last is { } last)
        {
            notification = new Notification(last, IsConfirmable: true);
            return true;
        }

        if (_first is { } first)
        {
            _first = null;
            notification = new Notification(first, IsConfirmable: true);
            return true;
        }

        while (true)
        {
            if (TryRead(out LocalDelivery delivery, out Action? taken))
            {
                CoapResponse told = isFilter ? MessageContent.ToEnvelope(delivery, nowMs()) : ToState(delivery);
                notification = new Notification(told, _isConfirmable || feed.IsDurable, taken);
                return true;
            }

            if (_isWaiting) return false;
            ValueTask<bool> arrival = feed.WaitToReadAsync();
            if (!arrival.IsCompletedSuccessfully)
            {
                _isWaiting = true;
                _ = SignalAsync(arrival);
                return false;
            }

            // More retained messages are to be looked through, or the client is closed.
            if (!arrival.GetAwaiter().GetResult()) return false;
        }
    }

    /// <inheritdoc/>
    public bool IsDurable => feed.IsDurable;

    /// <inheritdoc/>
    public void Cancel() => feed.Forget();

    /// <inheritdoc/>
    public void Dispose() => feed.Dispose();

    // Of several topics one that is too long is left out: the others go on.
    private bool TryRead(out LocalDelivery delivery, out Action? taken)
    {
        while (feed.TryRead(out delivery, out taken))
        {
            if (!isFilter || delivery.Message.Payload.Length <= maxBytes) return true;
            taken?.Invoke();
            _tooLong++;
        }

        return false;
    }

    private CoapResponse ToState(in LocalDelivery delivery)
    {
        Message message = delivery.Message;
        if (delivery.Retain && message.Payload.Length == 0) return CoapResponse.Because(CoapCode.NotFound, "the value was deleted");
        if (message.Payload.Length > maxBytes) return CoapResponse.Because(CoapCode.RequestEntityTooLarge, TooLong);
        ushort? format = MessageContent.FormatOf(message);
        if (_hasState && format != _format) return CoapResponse.Because(CoapCode.NotAcceptable, "the content format has changed");
        (_hasState, _format) = (true, format);
        return MessageContent.ToResponse(message, nowMs());
    }

    private async Task SignalAsync(ValueTask<bool> arrival)
    {
        if (!await arrival.ConfigureAwait(false)) return;
        // A value has many observers: they are told together.
        executor.Post(() =>
        {
            _isWaiting = false;
            _observation?.Signal();
        });
    }
}
