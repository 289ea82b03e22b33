using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

public sealed partial class MqttClient
{
    /// <summary>
    /// Publishes a message. At QoS 0 it completes when the message is queued for writing; at QoS 1 and 2 with the server's PUBACK or PUBCOMP, across
    /// reconnects. Messages go out in the order of the calls. Cancelling ends the wait; what was sent stays under way.
    /// </summary>
    /// <returns>The reason: success, or that nobody has subscribed.</returns>
    /// <exception cref="MqttException">The server refused the message, or the client ended before it was acknowledged.</exception>
    public async Task<ReasonCode> PublishAsync(PublishMessage message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (message.QoS == QoS.AtMostOnce)
        {
            await PublishAtMostOnceAsync(message, cancellationToken);
            return ReasonCode.Success;
        }

        OutgoingDelivery delivery = Accept(message);
        try
        {
            return await delivery.Completion.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            lock (_session.SyncRoot) delivery.IsWithdrawn = true;
            throw;
        }
    }

    /// <summary>
    /// Has a message of QoS 1 or 2 sent for certain: completes when the session's file has it (<see cref="FileMessageStore"/>), whether there is a connection
    /// or not. It goes out after that, in the order of the calls, by this client or by the next one that opens the file. What went and was not acknowledged
    /// when the process ended comes a second time at QoS 1. At QoS 2 it comes once where the server keeps the session
    /// (<see cref="MqttClientOptions.CleanStart"/>, <see cref="MqttClientOptions.SessionExpirySeconds"/>), but for a power cut between two packets.
    /// </summary>
    /// <exception cref="MqttException">The file is full or cannot be written, or the client has ended.</exception>
    public async Task EnqueueAsync(PublishMessage message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (message.QoS == QoS.AtMostOnce) throw new ArgumentException("A message of QoS 0 is not kept.", nameof(message));
        FileMessageStore store = _session.Store ?? throw new InvalidOperationException("The client's session has no file to keep messages in.");
        PublishMessage copy = message.Copy();
        DateTimeOffset? expiresAt = message.ExpirySeconds is { } seconds ? Time.GetUtcNow().AddSeconds(seconds) : null;
        OutgoingDelivery delivery;
        lock (_session.SyncRoot)
        {
            if (_state != ClientState.Running) throw _failure ?? new MqttException("The client is not connected.");
            long id = store.Add(copy, expiresAt, out Task kept);
            delivery = new OutgoingDelivery(copy, Time.GetTimestamp(), store, id, kept);
            _session.Outgoing.Add(delivery);
        }

        await SendWhenKeptAsync(delivery).WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Has a message's next packet go when the file is so far. Before that the server must not see it: the next process could give its identifier to another
    /// message.
    /// </summary>
    private async Task SendWhenKeptAsync(OutgoingDelivery delivery)
    {
        Task kept = delivery.Kept;
        await kept.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_session.SyncRoot)
        {
            if (kept.IsFaulted) delivery.IsWithdrawn = true;
            if (_connection is { IsClosing: false } connection) SendNext(connection);
        }

        await kept;
    }

    private async ValueTask PublishAtMostOnceAsync(PublishMessage message, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task space;
            lock (_session.SyncRoot)
            {
                Connection connection = RequireConnection();
                if (!connection.Outgoing.IsFull)
                {
                    if (Refusal(message, connection, Encode(message, null, message.ExpirySeconds, connection)) is { } refusal) throw refusal;
                    Encode(message, null, message.ExpirySeconds, connection).Write(connection.Outgoing.Writer, Version);
                    _counters.Sent++;
                    connection.Outgoing.Commit();
                    return;
                }

                space = connection.Outgoing.Space();
            }

            await space.WaitAsync(cancellationToken);
        }
    }

    private OutgoingDelivery Accept(PublishMessage message)
    {
        var delivery = new OutgoingDelivery(message, Time.GetTimestamp());
        lock (_session.SyncRoot)
        {
            if (_state != ClientState.Running) throw _failure ?? new MqttException("The client is not connected.");
            Connection? connection = _options.Reconnect is null ? RequireConnection() : _connection;
            if (_session.Outgoing.Count >= _options.MaximumQueued)
            {
                throw new MqttException(
                    $"{_options.MaximumQueued} messages wait for the server already; publish more slowly, or wait for acknowledgements.",
                    ReasonCode.QuotaExceeded);
            }

            _session.Outgoing.Add(delivery);
            if (connection is { IsClosing: false }) SendNext(connection);
        }

        return delivery;
    }

    /// <summary>Sends what window and output buffer have room for. Under the lock.</summary>
    private void SendNext(Connection connection)
    {
        bool sent = false;
        while (!connection.Outgoing.IsFull && _session.Outgoing.Next(connection.Window) is { } delivery)
        {
            if (delivery.Message is { } message) SendPublish(connection, delivery, message);
            else WriteAck(connection, PacketType.Pubrel, delivery.PacketId, ReasonCode.Success);
            sent = true;
        }

        if (sent) connection.Outgoing.Commit();
    }

    private void SendPublish(Connection connection, OutgoingDelivery delivery, PublishMessage message)
    {
        uint? expiry = message.ExpirySeconds;
        if (expiry is { } seconds)
        {
            var waited = (long)Time.GetElapsedTime(delivery.AcceptedAt).TotalSeconds;
            if (waited >= seconds && !delivery.WasSent)
            {
                Drop(delivery, new MqttException($"The message expired after {seconds} s, before it could be sent."));
                return;
            }

            expiry = (uint)Math.Max(1, seconds - waited);
        }

        OutgoingPublish publish = Encode(message, delivery, expiry, connection);
        if (Refusal(message, connection, publish) is { } refusal)
        {
            Drop(delivery, refusal);
            return;
        }

        publish.Write(connection.Outgoing.Writer, Version);
        _counters.Sent++;
        delivery.WasSent = true;
    }

    private void Drop(OutgoingDelivery delivery, MqttException failure)
    {
        _session.Outgoing.Remove(delivery);
        if (delivery.IsStored) _counters.GivenUp++;
        delivery.GiveUp(failure);
    }

    private static OutgoingPublish Encode(PublishMessage message, OutgoingDelivery? delivery, uint? expirySeconds, Connection connection) => new()
    {
        Topic = message.Topic.Span,
        Payload = message.Payload.Span,
        ForwardedProperties = message.EncodedProperties.Span,
        ExpirySeconds = expirySeconds,
        TopicAlias = message.TopicAlias <= connection.Granted.TopicAliasMaximum ? message.TopicAlias : (ushort)0,
        QoS = message.QoS,
        Retain = message.Retain,
        Dup = delivery?.WasSent ?? false,
        PacketId = delivery?.PacketId ?? 0,
    };

    /// <summary>Why the server could not take the message, as far as its CONNACK said.</summary>
    private MqttException? Refusal(PublishMessage message, Connection connection, in OutgoingPublish publish)
    {
        ConnectResult granted = connection.Granted;
        ReasonCode reason = message.QoS > granted.MaximumQoS ? ReasonCode.QoSNotSupported
            : message.Retain && !granted.RetainAvailable ? ReasonCode.RetainNotSupported
            : publish.Length(Version) > granted.MaximumPacketSizeBytes ? ReasonCode.PacketTooLarge
            : ReasonCode.Success;
        return reason == ReasonCode.Success ? null : new MqttException($"The message was not sent: {ReasonAdvice.For(reason)}", reason);
    }
}
