using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

public sealed partial class PacketConnection
{
    /// <summary>
    /// Sends PINGREQ when one direction has been silent for the keep-alive time [MQTT-3.1.2-20], and ends the connection when nothing at all comes for
    /// half of that time again [MQTT-3.1.2-22].
    /// </summary>
    private async Task KeepAliveAsync(CancellationToken cancellationToken)
    {
        TimeSpan interval = Granted.KeepAlive;
        if (interval == TimeSpan.Zero)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, Time, cancellationToken).ConfigureAwait(false);
            return;
        }

        TimeSpan answerTime = interval / 2;
        long? pingedAt = null;
        while (true)
        {
            long now = Time.GetTimestamp();
            if (_isReaderPaused) Volatile.Write(ref _lastReceived, now);
            if (LastReceived >= pingedAt) pingedAt = null;
            TimeSpan wait;
            if (pingedAt is { } pinged)
            {
                // Behind a long message on a slow link PINGREQ waits its turn: as long as that moves, the server is there.
                if (_isPingQueued) pingedAt = pinged = Math.Max(pinged, Volatile.Read(ref _lastSent));
                wait = answerTime - Time.GetElapsedTime(pinged, now);
                if (wait <= TimeSpan.Zero)
                {
                    throw new MqttException(
                        $"{Server} has not answered for {(interval + answerTime).TotalSeconds:0.#} s; "
                        + "check the network and the server.", ReasonCode.KeepAliveTimeout);
                }
            }
            else
            {
                long lastOfBoth = Math.Min(Volatile.Read(ref _lastSent), LastReceived);
                wait = interval - Time.GetElapsedTime(lastOfBoth, now);
                if (wait <= TimeSpan.Zero)
                {
                    SendPing();
                    pingedAt = now;
                    wait = answerTime;
                }
            }

            await Task.Delay(wait, Time, cancellationToken).ConfigureAwait(false);
        }
    }

    private void SendPing()
    {
        lock (SyncRoot)
        {
            if (IsClosing) return;
            _isPingQueued = true;
            PingPacket.WriteRequest(Outgoing.Writer);
            Outgoing.Commit();
        }
    }
}
