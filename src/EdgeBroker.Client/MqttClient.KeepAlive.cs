using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

public sealed partial class MqttClient
{
    /// <summary>
    /// Sends PINGREQ when one direction has been silent for the keep-alive time [MQTT-3.1.2-20], and ends the connection when nothing at all comes for
    /// half of that time again [MQTT-3.1.2-22].
    /// </summary>
    private async Task KeepAliveAsync(Connection connection, CancellationToken cancellationToken)
    {
        TimeSpan interval = connection.Granted.KeepAlive;
        if (interval == TimeSpan.Zero)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, Time, cancellationToken);
            return;
        }

        TimeSpan answerTime = interval / 2;
        long? pingedAt = null;
        while (true)
        {
            long now = Time.GetTimestamp();
            if (connection.IsReaderPaused) connection.LastReceived = now;
            if (connection.LastReceived >= pingedAt) pingedAt = null;
            TimeSpan wait;
            if (pingedAt is { } pinged)
            {
                // Behind a long message on a slow link PINGREQ waits its turn: as long as that moves, the server is there.
                if (connection.IsPingQueued) pingedAt = pinged = Math.Max(pinged, connection.LastSent);
                wait = answerTime - Time.GetElapsedTime(pinged, now);
                if (wait <= TimeSpan.Zero)
                {
                    throw new MqttException(
                        $"{_options.Transport.Description} has not answered for {(interval + answerTime).TotalSeconds:0.#} s; "
                        + "check the network and the server.", ReasonCode.KeepAliveTimeout);
                }
            }
            else
            {
                long lastOfBoth = Math.Min(connection.LastSent, connection.LastReceived);
                wait = interval - Time.GetElapsedTime(lastOfBoth, now);
                if (wait <= TimeSpan.Zero)
                {
                    SendPing(connection);
                    pingedAt = now;
                    wait = answerTime;
                }
            }

            await Task.Delay(wait, Time, cancellationToken);
        }
    }

    private void SendPing(Connection connection)
    {
        lock (_session.SyncRoot)
        {
            if (connection.IsClosing) return;
            connection.IsPingQueued = true;
            PingPacket.WriteRequest(connection.Outgoing.Writer);
            connection.Outgoing.Commit();
        }
    }
}
