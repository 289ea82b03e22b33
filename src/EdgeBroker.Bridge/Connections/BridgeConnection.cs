using System.Text;
using EdgeBroker.Client;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Connections;

/// <summary>One connection of a bridge, from CONNACK to its end: gives it the bridge's session, subscribes on the other side, and lets messages go.</summary>
/// <param name="bridge">What outlives it.</param>
/// <param name="remote">The connection.</param>
internal sealed class BridgeConnection(BridgeState bridge, PacketConnection remote)
{
    // How late a stall may be noticed, beyond the seconds that are configured.
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(1);

    private readonly BridgeOptions _options = bridge.Options;
    private readonly BridgeLink _link = new(bridge, remote, bridge.Broker.Clock);

    private TimeProvider Time => bridge.Environment.Time;

    /// <summary>Runs it to its end.</summary>
    /// <param name="ready">Told when messages may go.</param>
    /// <param name="cancel">Cuts it.</param>
    /// <returns>Why it ended; null: this side ended it.</returns>
    public async Task<MqttException?> RunAsync(Action ready, CancellationToken cancel)
    {
        ConnectionLease lease = BridgeSession.Attach(bridge, _link, remote.Granted);
        var subscriptions = new RemoteSubscriptions(bridge, remote);
        var receiver = new BridgeReceiver(bridge, _link, lease, subscriptions);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task<MqttException?> running = remote.RunAsync(receiver, cancel);
        Task pumping = PumpAsync(receiver, lease, ending.Token);
        Task<MqttException> watching = WatchAsync(subscriptions, lease.Session, ready, ending.Token);
        await Task.WhenAny(running, pumping, watching).ConfigureAwait(false);
        // A pump that fails, or nothing moving: the connection goes with it.
        if (!running.IsCompleted) await remote.AbortAsync().ConfigureAwait(false);
        MqttException? failure = await running.ConfigureAwait(false);
        await ending.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(pumping, watching).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        receiver.End();
        BridgeSession.Detach(bridge, lease);
        if (pumping.IsFaulted) await pumping.ConfigureAwait(false);
        if (watching.IsFaulted) await watching.ConfigureAwait(false);
        if (watching.IsCompletedSuccessfully) return await watching.ConfigureAwait(false);
        return failure is null ? null : _link.Explain(failure);
    }

    /// <summary>Leaves in order: what was written still goes out.</summary>
    public void Leave() => remote.Close();

    private async Task PumpAsync(BridgeReceiver receiver, ConnectionLease lease, CancellationToken cancel)
    {
        while (true)
        {
            if (_link.FindPause() is { } pause) await _link.PumpRequest.WaitAsync(pause, Time, cancel).ConfigureAwait(false);
            else await _link.PumpRequest.WaitAsync(cancel).ConfigureAwait(false);
            Pump(receiver, lease);
        }
    }

    private void Pump(BridgeReceiver receiver, ConnectionLease lease)
    {
        bridge.Broker.Loops.Begin();
        try
        {
            receiver.SendReadyAcks();
            bridge.Broker.Pump(lease, bridge.PumpContext);
            while (_link.TryTakeLocalAck(out LocalAck ack)) Acknowledge(lease, ack);
        }
        finally
        {
            bridge.Broker.Loops.End();
        }

        if (_link.IsDraining && lease.Session.Backlog.Messages == 0)
        {
            _link.EndDrain();
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
    private async Task<MqttException> WatchAsync(RemoteSubscriptions subscriptions, Session session, Action ready, CancellationToken cancel)
    {
        subscriptions.Ask(session);
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
        _link.Open(hasBacklog: session.Backlog.Messages > 0);
        ready();
        while (true)
        {
            await Task.Delay(WatchInterval, Time, cancel).ConfigureAwait(false);
            (int open, long progressAtMs) = _link.Progress;
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
