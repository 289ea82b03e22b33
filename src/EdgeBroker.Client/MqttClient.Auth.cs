using System.Buffers;
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
            WriteAuth(connection.Outgoing.Writer, ReasonCode.ReAuthenticate, exchange.First);
            connection.Outgoing.Commit();
        }

        await completion.Task.WaitAsync(cancellationToken);
    }

    /// <summary>AUTH on a connection that stands.</summary>
    private void HandleAuth(Connection connection, in Frame frame)
    {
        DisconnectPacket auth = ReadAuth(frame);
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
                WriteAuth(connection.Outgoing.Writer, ReasonCode.ContinueAuthentication, answer);
                connection.Outgoing.Commit();
            }
        }
        catch (Exception e)
        {
            // There is no going on. The reader notices, and the connection counts as lost: a new one may be made.
            renewal.Completion.TrySetException(e);
            await connection.Stream.DisposeAsync();
        }
    }

    /// <summary>Answers the server until it sends something else than AUTH, which stays in the reader.</summary>
    private async Task AnswerAsync(Stream stream, FrameReader reader, IAuthenticationExchange exchange, CancellationToken cancellationToken)
    {
        while (TakeQuestion(reader) is { } question)
        {
            var output = new ArrayBufferWriter<byte>();
            WriteAuth(output, ReasonCode.ContinueAuthentication, await exchange.AnswerAsync(question, cancellationToken));
            TraceSent(output.WrittenSpan);
            await stream.WriteAsync(output.WrittenMemory, cancellationToken);
            await stream.FlushAsync(cancellationToken);
            await AwaitPacketAsync(reader, cancellationToken);
        }
    }

    private byte[]? TakeQuestion(FrameReader reader)
    {
        reader.TryPeek(out Frame frame);
        if (frame.Type != PacketType.Auth) return null;
        TraceReceived(frame);
        DisconnectPacket auth = ReadAuth(frame);
        if (auth.ReasonCode != ReasonCode.ContinueAuthentication)
        {
            throw MqttException.Violation(ReasonCode.ProtocolError, "an AUTH before CONNACK does not ask anything");
        }

        byte[] question = auth.Properties.GetValue(PropertyId.AuthenticationData).ToArray();
        reader.Consume(frame.Length);
        return question;
    }

    private DisconnectPacket ReadAuth(in Frame frame)
    {
        if (!DisconnectPacket.TryParse(frame, Version, out DisconnectPacket auth, out ParseError error)) throw MqttException.Violation(error);
        RequireMethod(auth.Properties);
        return auth;
    }

    /// <summary>AUTH and a successful CONNACK name CONNECT's method [MQTT-4.12.0-5].</summary>
    private void RequireMethod(PropertyBlock properties)
    {
        if (!properties.GetValue(PropertyId.AuthenticationMethod).SequenceEqual(System.Text.Encoding.UTF8.GetBytes(_options.Authentication!.Name)))
        {
            throw MqttException.Violation(ReasonCode.ProtocolError, "it goes on with another authentication method than the one that was asked for");
        }
    }

    private void WriteAuth(IBufferWriter<byte> output, ReasonCode reason, byte[]? data)
    {
        Span<byte> initial = stackalloc byte[256];
        PropertyBuilder properties = PropertyBuilder.For(PacketType.Auth, initial);
        try
        {
            AddMethod(ref properties, data);
            new DisconnectPacket { Type = PacketType.Auth, ReasonCode = reason, Properties = properties.Block }.Write(output, Version);
        }
        finally
        {
            properties.Dispose();
        }
    }

    private void AddMethod(ref PropertyBuilder properties, byte[]? data)
    {
        properties.Add(PropertyId.AuthenticationMethod, System.Text.Encoding.UTF8.GetBytes(_options.Authentication!.Name));
        if (data is not null) properties.Add(PropertyId.AuthenticationData, data);
    }
}
