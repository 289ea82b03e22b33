using System.Buffers;
using System.Text;
using EdgeBroker.Client;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Connections;

/// <summary>The subscriptions on the other side: asked for on each connection, in requests of as many filters as the server takes.</summary>
/// <param name="bridge">What outlives connections.</param>
/// <param name="remote">The connection.</param>
internal sealed class RemoteSubscriptions(BridgeState bridge, PacketConnection remote)
{
    private readonly Dictionary<ushort, string[]> _asked = [];
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when all are answered.</summary>
    public Task Answered() => _answered.Task;

    /// <summary>Asks for all of them.</summary>
    /// <param name="session">The session whose identifiers must be left alone.</param>
    public void Ask(Session session)
    {
        bridge.ForgetRefusedFilters();
        ushort packetId = 0;
        var requests = new List<(ushort PacketId, byte[] Filters)>();
        foreach ((string Filter, QoS QoS)[] some in bridge.Routes.RemoteFilters.Chunk(bridge.Options.FiltersPerSubscribe))
        {
            do packetId++;
            while (session.IsInUse(packetId));
            lock (_lock.Alone()) _asked.Add(packetId, [.. some.Select(one => one.Filter)]);
            requests.Add((packetId, Encode(some)));
        }

        if (requests.Count == 0) _answered.TrySetResult();
        lock (remote.SyncRoot.Alone())
        {
            foreach ((ushort id, byte[] filters) in requests)
            {
                new SubscribePacket { PacketId = id, Filters = filters }.Write(remote.Output, remote.Version);
            }

            if (requests.Count > 0) remote.Commit();
        }
    }

    /// <summary>Takes an answer.</summary>
    public void Answered(ushort packetId, ReadOnlySpan<ReasonCode> reasons)
    {
        string[]? filters;
        bool isLast;
        lock (_lock.Alone())
        {
            if (!_asked.Remove(packetId, out filters))
            {
                throw MqttException.Violation(ReasonCode.ProtocolError, "a subscribe request was answered that was not made");
            }

            isLast = _asked.Count == 0;
        }

        if (reasons.Length != filters.Length)
        {
            throw MqttException.Violation(ReasonCode.ProtocolError, "an answer has more or fewer reason codes than filters were asked for");
        }

        for (int i = 0; i < filters.Length; i++)
        {
            if (reasons[i].IsError()) bridge.NoteNotSubscribed(filters[i], reasons[i]);
        }

        if (isLast) _answered.TrySetResult();
    }

    private byte[] Encode((string Filter, QoS QoS)[] some)
    {
        var filters = new ArrayBufferWriter<byte>();
        foreach ((string filter, QoS qos) in some)
        {
            QoS most = qos < bridge.Options.MaximumQoS ? qos : bridge.Options.MaximumQoS;
            bool isV5 = remote.Version == ProtocolVersion.V5;
            // Without No Local a topic that goes both ways would come back; RETAIN says which messages are last values.
            var options = isV5 ? new SubscriptionOptions(most, noLocal: bridge.Options.HasBothWays, retainAsPublished: true, RetainHandling.SendOnSubscribe)
                : new SubscriptionOptions(most);
            SubscribePacket.AppendFilter(filters, Encoding.UTF8.GetBytes(filter), options);
        }

        return filters.WrittenSpan.ToArray();
    }
}
