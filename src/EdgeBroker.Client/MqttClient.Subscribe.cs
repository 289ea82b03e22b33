using System.Buffers;
using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

public sealed partial class MqttClient
{
    private const int MaximumRequests = 1000;

    /// <summary>Subscribes to a filter.</summary>
    public Task<ReasonCode[]> SubscribeAsync(string filter, QoS maximumQoS = QoS.AtMostOnce, CancellationToken cancellationToken = default) =>
        SubscribeAsync([new Subscription(filter, maximumQoS)], null, cancellationToken);

    /// <summary>Subscribes to filters in one SUBSCRIBE.</summary>
    /// <param name="subscriptions">The filters; at least one.</param>
    /// <param name="properties">Subscription identifier and user properties (5.0).</param>
    /// <param name="cancellationToken">Ends the wait for SUBACK.</param>
    /// <returns>For each filter the QoS granted, or why it was refused.</returns>
    public async Task<ReasonCode[]> SubscribeAsync(
        IReadOnlyList<Subscription> subscriptions, MqttProperties? properties = null, CancellationToken cancellationToken = default)
    {
        var filters = new ArrayBufferWriter<byte>();
        foreach (Subscription subscription in subscriptions)
        {
            SubscriptionOptions options = Version == ProtocolVersion.V5 ? subscription.Options : new SubscriptionOptions(subscription.Options.MaximumQoS);
            SubscribePacket.AppendFilter(filters, EncodeFilter(subscription.Filter), options);
        }

        PendingRequest request = Ask(PacketType.Subscribe, new PendingRequest(PacketType.Suback, subscriptions.Count), filters.WrittenSpan, properties);
        ReasonCode[] granted = await request.Completion.Task.WaitAsync(cancellationToken);
        lock (_session.SyncRoot)
        {
            for (int i = 0; i < granted.Length; i++)
            {
                if (!granted[i].IsError()) _session.Subscriptions[subscriptions[i].Filter] = (subscriptions[i], properties);
            }
        }

        return granted;
    }

    /// <summary>Ends subscriptions.</summary>
    /// <returns>For each filter the outcome; all success in 3.1.1, which does not tell.</returns>
    public async Task<ReasonCode[]> UnsubscribeAsync(
        IReadOnlyList<string> filters, MqttProperties? properties = null, CancellationToken cancellationToken = default)
    {
        var encoded = new ArrayBufferWriter<byte>();
        foreach (string filter in filters) UnsubscribePacket.AppendFilter(encoded, EncodeFilter(filter));
        lock (_session.SyncRoot)
        {
            foreach (string filter in filters) _session.Subscriptions.Remove(filter);
        }

        PendingRequest request = Ask(PacketType.Unsubscribe, new PendingRequest(PacketType.Unsuback, filters.Count), encoded.WrittenSpan, properties);
        return await request.Completion.Task.WaitAsync(cancellationToken);
    }

    private PendingRequest Ask(PacketType packet, PendingRequest request, ReadOnlySpan<byte> filters, MqttProperties? properties)
    {
        if (request.Filters == 0) throw new ArgumentException("Give at least one topic filter.");
        Span<byte> initial = stackalloc byte[256];
        PropertyBuilder builder = PropertyBuilder.For(packet, initial);
        try
        {
            if (Version == ProtocolVersion.V5) properties?.AddTo(ref builder);
            lock (_session.SyncRoot)
            {
                Connection connection = RequireConnection();
                if (connection.Requests.Count >= MaximumRequests)
                {
                    throw new MqttException("Too many subscribe requests wait for an answer; wait for some of them.", ReasonCode.QuotaExceeded);
                }

                // Rather one byte too many than a packet the server must refuse: 7 is the longest head.
                if (7L + filters.Length + builder.Block.Bytes.Length + 4 > connection.Granted.MaximumPacketSizeBytes)
                {
                    throw new MqttException(
                        "The request is larger than the packets the server takes; ask for fewer topic filters at a time.", ReasonCode.PacketTooLarge);
                }

                ushort packetId = _session.Ids.Rent();
                connection.Requests.Add(packetId, request);
                if (packet == PacketType.Subscribe)
                {
                    new SubscribePacket { PacketId = packetId, Properties = builder.Block, Filters = filters }.Write(connection.Outgoing.Writer, Version);
                }
                else
                {
                    new UnsubscribePacket { PacketId = packetId, Properties = builder.Block, Filters = filters }.Write(connection.Outgoing.Writer, Version);
                }

                connection.Outgoing.Commit();
            }
        }
        finally
        {
            builder.Dispose();
        }

        return request;
    }

    /// <summary>A new session on the server knows nothing of the subscriptions; brings them back one by one and reports those it refuses.</summary>
    private async Task RestoreSubscriptionsAsync()
    {
        (Subscription Subscription, MqttProperties? Properties)[] wanted;
        lock (_session.SyncRoot) wanted = [.. _session.Subscriptions.Values];
        foreach ((Subscription subscription, MqttProperties? properties) in wanted)
        {
            try
            {
                ReasonCode reason = (await SubscribeAsync([subscription], properties, _lifetime.Token))[0];
                if (reason.IsError())
                {
                    _options.ConnectionChanged?.Invoke(new ConnectionChange(
                        true, Granted, new MqttException($"The subscription to {subscription.Filter} was not restored: {ReasonAdvice.For(reason)}", reason),
                        null));
                }
            }
            catch (Exception e) when (e is MqttException or OperationCanceledException)
            {
                // The connection is gone again; the next one restores them.
                return;
            }
        }
    }

    private static byte[] EncodeFilter(string filter)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(filter);
        if (utf8.Length > Utf8Text.MaxBytes || !Utf8Text.IsValid(utf8) || !TopicFilter.IsValid(utf8))
        {
            throw new ArgumentException($"\"{filter}\" is not a topic filter: + stands alone in its level, # alone in the last one.", nameof(filter));
        }

        return utf8;
    }
}
