using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

public sealed partial class MqttClient
{
    /// <summary>
    /// Sends everything queued and a DISCONNECT, and ends the client. Does not wait for acknowledgements: await the publishes first.
    /// </summary>
    /// <param name="reason">Reason (5.0); <see cref="ReasonCode.DisconnectWithWill"/> has the will published.</param>
    /// <param name="properties">Session expiry and user properties (5.0).</param>
    /// <param name="cancellationToken">Ends the client at once.</param>
    public async Task DisconnectAsync(ReasonCode reason = ReasonCode.Success, MqttProperties? properties = null, CancellationToken cancellationToken = default)
    {
        if (!reason.IsClientDisconnect()) throw new ArgumentException($"A client does not disconnect with {reason}.", nameof(reason));
        Connection? connection;
        lock (_session.SyncRoot)
        {
            _isLeaving = true;
            connection = _connection;
        }

        if (connection is null) await _lifetime.CancelAsync();
        else connection.Packets.Close(reason, properties);
        await using (cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), _lifetime))
        {
            await _supervisor.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
