using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

public sealed partial class MqttClient
{
    /// <summary>
    /// Authenticates again on the connection there is (5.0, 4.12.1), as before a token expires. Everything else goes on meanwhile. When the server refuses, it
    /// closes the connection.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is no <see cref="MqttClientOptions.Authentication"/>, or one re-authentication goes on
    /// already.</exception>
    /// <exception cref="MqttException">There is no connection, or it ended over this.</exception>
    public async Task ReauthenticateAsync(CancellationToken cancellationToken = default)
    {
        if (_options.Authentication is not { } method) throw new InvalidOperationException("Authenticating again needs the Authentication option.");
        IAuthenticationExchange exchange = method.Begin();
        var completion = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_session.SyncRoot)
        {
            Connection connection = RequireConnection();
            if (connection.Renewal is not null) throw new InvalidOperationException("The client is being authenticated again already.");
            connection.Renewal = new Renewal(exchange, completion);
            AuthPackets.Write(connection.Outgoing.Writer, _options, ReasonCode.ReAuthenticate, exchange.First);
            connection.Outgoing.Commit();
        }

        await completion.Task.WaitAsync(cancellationToken);
    }

    /// <summary>AUTH on a connection that stands.</summary>
    private void HandleAuth(Connection connection, in Frame frame)
    {
        DisconnectPacket auth = AuthPackets.Read(frame, _options);
        Renewal renewal;
        lock (_session.SyncRoot)
        {
            renewal = connection.Renewal is { IsAnswering: false } known
                ? known
                : throw MqttException.Violation(ReasonCode.ProtocolError, "AUTH without a question, or before the answer");
            renewal.IsAnswering = auth.ReasonCode == ReasonCode.ContinueAuthentication;
        }

        byte[] data = auth.Properties.GetValue(PropertyId.AuthenticationData).ToArray();
        if (renewal.IsAnswering)
        {
            _ = AnswerAsync(connection, renewal, data);
            return;
        }

        if (auth.ReasonCode != ReasonCode.Success)
        {
            throw MqttException.Violation(ReasonCode.ProtocolError, "AUTH with a reason code that only a client may send");
        }

        renewal.Exchange.Confirm(data);
        lock (_session.SyncRoot) connection.Renewal = null;
        renewal.Completion.TrySetResult();
    }

    private async Task AnswerAsync(Connection connection, Renewal renewal, byte[] question)
    {
        try
        {
            byte[]? answer = await renewal.Exchange.AnswerAsync(question, _lifetime.Token);
            lock (_session.SyncRoot)
            {
                if (connection.IsClosing || connection.Renewal != renewal) return;
                renewal.IsAnswering = false;
                AuthPackets.Write(connection.Outgoing.Writer, _options, ReasonCode.ContinueAuthentication, answer);
                connection.Outgoing.Commit();
            }
        }
        catch (Exception e)
        {
            // There is no going on. The reader notices, and the connection counts as lost: a new one may be made.
            renewal.Completion.TrySetException(e);
            await connection.Packets.AbortAsync();
        }
    }
}
