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
        else SendDisconnect(connection, reason, properties);
        await using (cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), _lifetime))
        {
            await _supervisor.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Queues DISCONNECT as the last packet; 3.1.1 has none that says a failure, so there the stream just ends.</summary>
    private void SendDisconnect(Connection connection, ReasonCode reason, MqttProperties? properties = null)
    {
        Span<byte> initial = stackalloc byte[256];
        PropertyBuilder builder = PropertyBuilder.For(PacketType.Disconnect, initial);
        try
        {
            if (Version == ProtocolVersion.V5) properties?.AddTo(ref builder);
            lock (_session.SyncRoot)
            {
                if (connection.IsClosing) return;
                connection.IsClosing = true;
                if (Version == ProtocolVersion.V5 || !reason.IsError())
                {
                    new DisconnectPacket { Type = PacketType.Disconnect, ReasonCode = reason, Properties = builder.Block }.Write(
                        connection.Outgoing.Writer, Version);
                }

                connection.Outgoing.Complete();
            }
        }
        finally
        {
            builder.Dispose();
        }
    }
}
