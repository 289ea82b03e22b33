using System.Buffers;
using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>What is said on a new stream until the server has let the client in: CONNECT, AUTH as often as it asks, CONNACK.</summary>
internal sealed class ConnectExchange(MqttClientOptions options, IClientTransport server, Stream stream, FrameReader reader)
{
    private readonly PacketTracer _tracer = new(options);

    private ProtocolVersion Version => options.Version;

    /// <summary>Says it, and yields what the server granted.</summary>
    /// <exception cref="MqttException">The server refuses, or does not speak MQTT.</exception>
    public async Task<ConnectResult> RunAsync(bool cleanStart, ClientCredentials credentials, CancellationToken cancellationToken)
    {
        IAuthenticationExchange? exchange = options.Authentication?.Begin();
        var output = new ArrayBufferWriter<byte>();
        WriteConnect(output, cleanStart, credentials, exchange);
        await SendAsync(output, cancellationToken).ConfigureAwait(false);
        await AwaitPacketAsync(cancellationToken).ConfigureAwait(false);
        if (exchange is not null) await AnswerAsync(exchange, cancellationToken).ConfigureAwait(false);
        return ReadConnack(cleanStart, exchange);
    }

    private async Task SendAsync(ArrayBufferWriter<byte> output, CancellationToken cancellationToken)
    {
        _tracer.Sent(output.WrittenSpan);
        await stream.WriteAsync(output.WrittenMemory, cancellationToken).ConfigureAwait(false);
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private void WriteConnect(ArrayBufferWriter<byte> output, bool cleanStart, ClientCredentials credentials, IAuthenticationExchange? exchange)
    {
        Span<byte> initial = stackalloc byte[256];
        Span<byte> willInitial = stackalloc byte[256];
        PropertyBuilder properties = PropertyBuilder.For(PacketType.Connect, initial);
        PropertyBuilder willProperties = PropertyBuilder.ForWill(willInitial);
        try
        {
            if (Version == ProtocolVersion.V5) AddConnectProperties(ref properties);
            if (exchange is not null) AuthPackets.AddMethod(ref properties, options, exchange.First);
            PublishMessage? will = options.Will?.Message;
            if (will?.ExpirySeconds is { } expiry) willProperties.Add(PropertyId.MessageExpiryInterval, expiry);
            options.Will?.Properties?.AddTo(ref willProperties);
            int start = output.WrittenCount;
            new ConnectPacket
            {
                Version = Version,
                CleanStart = cleanStart,
                KeepAliveSeconds = options.KeepAliveSeconds,
                ClientId = Encoding.UTF8.GetBytes(options.ClientId),
                Properties = properties.Block,
                HasWill = will is not null,
                WillTopic = will is null ? default : will.Topic.Span,
                WillPayload = will is null ? default : will.Payload.Span,
                WillQoS = will?.QoS ?? QoS.AtMostOnce,
                WillRetain = will?.Retain ?? false,
                WillProperties = willProperties.Block,
                HasUserName = credentials.UserName is not null,
                UserName = credentials.UserName is null ? default : Encoding.UTF8.GetBytes(credentials.UserName),
                HasPassword = credentials.Password is not null,
                Password = credentials.Password,
            }.Write(output);
            if (options.IsBridge) MarkAsBridge(output, start);
        }
        finally
        {
            properties.Dispose();
            willProperties.Dispose();
        }
    }

    /// <summary>
    /// The highest bit of 3.1.1's protocol level: mosquitto and its like then send a bridge nothing of what it has published itself, and leave RETAIN as it is.
    /// </summary>
    private static void MarkAsBridge(ArrayBufferWriter<byte> output, int start)
    {
        // Fixed header, one to four bytes of length, and the protocol's name with its own length of two bytes.
        Span<byte> packet = System.Runtime.InteropServices.MemoryMarshal.AsMemory(output.WrittenMemory).Span[start..];
        int at = 1;
        while ((packet[at] & 0x80) != 0) at++;
        packet[at + 1 + 2 + 4] |= 0x80;
    }

    private void AddConnectProperties(ref PropertyBuilder properties)
    {
        if (options.SessionExpirySeconds > 0) properties.Add(PropertyId.SessionExpiryInterval, options.SessionExpirySeconds);
        if (options.ReceiveMaximum != ushort.MaxValue) properties.Add(PropertyId.ReceiveMaximum, options.ReceiveMaximum);
        properties.Add(PropertyId.MaximumPacketSize, (uint)options.MaximumPacketSizeBytes);
        if (options.TopicAliasMaximum > 0) properties.Add(PropertyId.TopicAliasMaximum, options.TopicAliasMaximum);
        options.Properties?.AddTo(ref properties);
    }

    private async Task AwaitPacketAsync(CancellationToken cancellationToken)
    {
        while (!reader.TryPeek(out _))
        {
            if (!await reader.FillAsync(cancellationToken).ConfigureAwait(false))
            {
                throw new MqttException(
                    $"{server.Description} closed the connection without an answer; it may not speak this MQTT version, not want this client, "
                    + "or not be an MQTT server. Its log should say.");
            }
        }
    }

    /// <summary>Answers the server until it sends something else than AUTH, which stays in the reader.</summary>
    private async Task AnswerAsync(IAuthenticationExchange exchange, CancellationToken cancellationToken)
    {
        while (TakeQuestion() is { } question)
        {
            var output = new ArrayBufferWriter<byte>();
            byte[]? answer = await exchange.AnswerAsync(question, cancellationToken).ConfigureAwait(false);
            AuthPackets.Write(output, options, ReasonCode.ContinueAuthentication, answer);
            await SendAsync(output, cancellationToken).ConfigureAwait(false);
            await AwaitPacketAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private byte[]? TakeQuestion()
    {
        reader.TryPeek(out Frame frame);
        if (frame.Type != PacketType.Auth) return null;
        _tracer.Received(frame);
        DisconnectPacket auth = AuthPackets.Read(frame, options);
        if (auth.ReasonCode != ReasonCode.ContinueAuthentication)
        {
            throw MqttException.Violation(ReasonCode.ProtocolError, "an AUTH before CONNACK does not ask anything");
        }

        byte[] question = auth.Properties.GetValue(PropertyId.AuthenticationData).ToArray();
        reader.Consume(frame.Length);
        return question;
    }

    private ConnectResult ReadConnack(bool cleanStart, IAuthenticationExchange? exchange)
    {
        reader.TryPeek(out Frame frame);
        _tracer.Received(frame);
        if (frame.Type == PacketType.Auth)
        {
            throw new MqttException(
                "The server asks for an authentication in several steps, which this client was not told to do; give it an authentication method, "
                + "or user name and password.", ReasonCode.BadAuthenticationMethod);
        }

        if (frame.Type == PacketType.Disconnect) throw ReasonText.Disconnected(frame, Version, server);
        if (frame.Type != PacketType.Connack) throw MqttException.Violation(ReasonCode.ProtocolError, "the first packet is not CONNACK");
        RefuseOlderServer(frame);
        if (!ConnackPacket.TryParse(frame, Version, out ConnackPacket connack, out ParseError error)) throw MqttException.Violation(error);
        if (connack.ReasonCode != ReasonCode.Success) throw Refused(connack);
        if (cleanStart && connack.SessionPresent)
        {
            throw MqttException.Violation(ReasonCode.ProtocolError, "a session is present although a clean start was asked for");
        }

        if (exchange is not null)
        {
            AuthPackets.RequireMethod(connack.Properties, options);
            exchange.Confirm(connack.Properties.GetValue(PropertyId.AuthenticationData));
        }

        ConnectResult result = ConnectResult.From(connack, options);
        reader.Consume(frame.Length);
        return result;
    }

    /// <summary>A server that does not know 5.0 says so as 3.1.1 has it, without properties [MQTT-3.1.2-2].</summary>
    private void RefuseOlderServer(in Frame frame)
    {
        if (Version != ProtocolVersion.V5 || !ConnackPacket.TryParse(frame, ProtocolVersion.V311, out ConnackPacket connack, out _)) return;
        if (connack.ReasonCode == ReasonCode.UnsupportedProtocolVersion) throw Refused(connack);
    }

    private MqttException Refused(in ConnackPacket connack) => new(
        $"The server at {server.Description} refused the connection: {ReasonText.Explain(connack.ReasonCode, connack.Properties)}", connack.ReasonCode);
}
