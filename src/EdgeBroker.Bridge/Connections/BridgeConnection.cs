using System.Text;
using EdgeBroker.Client;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Connections;

/// <summary>
/// One connection of a bridge, from CONNACK to its end: gives it the sessions of the bridge's lanes, subscribes on the other side, and lets messages go.
/// </summary>
/// <param name="bridge">What outlives it.</param>
/// <param name="remote">The connection.</param>
internal sealed class BridgeConnection(BridgeState bridge, PacketConnection remote)
{
    // How late a stall may be noticed, beyond the seconds that are configured.
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(1);

    private readonly BridgeOptions _options = bridge.Options;
    private readonly BridgeChannel _channel = new(bridge.Options, remote, bridge.Broker.Clock);
    private readonly List<BridgeLink> _links = [];

    private TimeProvider Time => bridge.Environment.Time;

    /// <summary>Runs it to its end.</summary>
    /// <param name="ready">Told when messages may go.</param>
    /// <param name="cancel">Cuts it.</param>
    /// <returns>Why it ended; null: this side ended it.</returns>
    public async Task<MqttException?> RunAsync(Action ready, CancellationToken cancel)
    {
        var subscriptions = new RemoteSubscriptions(bridge, remote);
        try
        {
            AttachLanes();
            return await RunAsync(subscriptions, ready, cancel).ConfigureAwait(false);
        }
        finally
        {
            foreach (BridgeLink link in _links) BridgeSession.Detach(bridge, link.Lease);
        }
    }

    /// <summary>Leaves in order: what was written still goes out.</summary>
    public void Leave() => remote.Close();

    private async Task<MqttException?> RunAsync(RemoteSubscriptions subscriptions, Action ready, CancellationToken cancel)
    {
        // The main lane is the last.
        var receiver = new BridgeReceiver(bridge, _channel, _links[^1], subscriptions);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task<MqttException?> running = remote.RunAsync(receiver, cancel);
        Task pumping = PumpAsync(receiver, ending.Token);
        Task<MqttException> watching = WatchAsync(subscriptions, ready, ending.Token);
        await Task.WhenAny(running, pumping, watching).ConfigureAwait(false);
        // A pump that fails, or nothing moving: the connection goes with it.
        if (!running.IsCompleted) await remote.AbortAsync().ConfigureAwait(false);
        MqttException? failure = await running.ConfigureAwait(false);
        await ending.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(pumping, watching).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        receiver.End();
        if (pumping.IsFaulted) await pumping.ConfigureAwait(false);
        if (watching.IsFaulted) await watching.ConfigureAwait(false);
        if (watching.IsCompletedSuccessfully) return await watching.ConfigureAwait(false);
        return failure is null ? null : _channel.Explain(failure);
    }

    private void AttachLanes()
    {
        foreach (BridgeLane lane in bridge.Lanes)
        {
            var link = new BridgeLink(bridge, lane, _channel, [.. _links], bridge.Broker.Clock);
            link.Lease = BridgeSession.Attach(bridge, link, remote.Granted);
            _links.Add(link);
        }
    }

    private async Task PumpAsync(BridgeReceiver receiver, CancellationToken cancel)
    {
        while (true)
        {
            if (FindPause() is { } pause) await _channel.PumpRequest.WaitAsync(pause, Time, cancel).ConfigureAwait(false);
            else await _channel.PumpRequest.WaitAsync(cancel).ConfigureAwait(false);
            Pump(receiver);
        }
    }

    /// <summary>The shortest of the lanes' waits for their rates; null: none waits.</summary>
    private TimeSpan? FindPause()
    {
        TimeSpan? shortest = null;
        foreach (BridgeLink link in _links)
        {
            if (link.FindPause() is { } pause && !(pause >= shortest)) shortest = pause;
        }

        return shortest;
    }

    private void Pump(BridgeReceiver receiver)
    {
        bridge.Broker.Loops.Begin();
        try
        {
            receiver.SendReadyAcks();
            foreach (BridgeLink link in _links)
            {
                link.BeginPump();
                bridge.Broker.Pump(link.Lease, bridge.PumpContext);
                while (link.TryTakeLocalAck(out LocalAck ack)) Acknowledge(link.Lease, ack);
            }
        }
        finally
        {
            bridge.Broker.Loops.End();
        }

        foreach (BridgeLink link in _links)
        {
            if (!link.IsDraining || link.Lease.Session.Backlog.Messages > 0) continue;
            link.EndDrain();
            BridgeLog.Drained(bridge.Environment.Log, _options.Name);
        }
    }

    private static void Acknowledge(ConnectionLease lease, LocalAck ack)
    {
        if (ack.Type == PacketType.Puback) lease.Session.Puback(lease, ack.PacketId, refused: false);
        else if (ack.Type == PacketType.Pubrec) lease.Session.Pubrec(lease, ack.PacketId, refused: false);
        else lease.Session.Pubcomp(lease, ack.PacketId);
    }

    /// <summary>Has messages go when the subscriptions are answered; ends when nothing moves any more.</summary>
    private async Task<MqttException> WatchAsync(RemoteSubscriptions subscriptions, Action ready, CancellationToken cancel)
    {
        subscriptions.Ask(_links[^1].Lease.Session);
        try
        {
            await subscriptions.Answered().WaitAsync(_options.StallTimeout, Time, cancel).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return new MqttException(
                $"{remote.Server} did not answer the subscriptions within {_options.StallTimeout.TotalSeconds:0} s; the connection was cut.",
                ReasonCode.KeepAliveTimeout);
        }

        TellOtherSide();
        _channel.Begin();
        foreach (BridgeLink link in _links) link.Open(hasBacklog: link.Lease.Session.Backlog.Messages > 0);
        _channel.PumpRequest.Set();
        ready();
        while (true)
        {
            await Task.Delay(WatchInterval, Time, cancel).ConfigureAwait(false);
            (int open, long progressAtMs) = _channel.Progress;
            if (open > 0 && bridge.Broker.Clock.NowMs - progressAtMs >= _options.StallTimeout.TotalMilliseconds)
            {
                return new MqttException(
                    $"{remote.Server} has acknowledged none of {open} message(s) for {_options.StallTimeout.TotalSeconds:0} s; the connection was cut, "
                    + "the messages are kept and sent again.", ReasonCode.KeepAliveTimeout);
            }
        }
    }

    /// <summary>The will says 0 when the bridge is gone; this says 1.</summary>
    private void TellOtherSide()
    {
        if (_options.Notifications != BridgeNotifications.Both) return;
        lock (remote.SyncRoot.Alone())
        {
            if (remote.IsClosing) return;
            new OutgoingPublish { Topic = Encoding.UTF8.GetBytes(_options.NotificationTopic), Payload = "1"u8, Retain = remote.Granted.RetainAvailable }
                .Write(remote.Output, remote.Version);
            remote.Commit();
        }
    }
}
