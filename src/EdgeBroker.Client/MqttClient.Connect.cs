using System.Buffers;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

public sealed partial class MqttClient
{
    /// <summary>Connects, and keeps the connection from then on.</summary>
    /// <exception cref="MqttException">The server cannot be reached, does not answer in time, or refuses.</exception>
    public async Task<ConnectResult> ConnectAsync(CancellationToken cancellationToken = default)
    {
        Begin();
        try
        {
            Connection connection = await OpenAsync(_options.CleanStart, cancellationToken);
            _supervisor = SuperviseAsync(connection);
            return connection.Granted;
        }
        catch (Exception e)
        {
            End(e as MqttException ?? new MqttException("Connecting was cancelled.", null, e));
            throw;
        }
    }

    private async Task<Connection> OpenAsync(bool cleanStart, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(_options.ConnectTimeout, Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _lifetime.Token, timeout.Token);
        Stream? stream = null;
        FrameReader? reader = null;
        try
        {
            stream = await _options.Transport.OpenAsync(either.Token);
            reader = new FrameReader(stream, _options.MaximumPacketSizeBytes);
            IAuthenticationExchange? exchange = _options.Authentication?.Begin();
            await SendConnectAsync(stream, cleanStart, exchange, either.Token);
            await AwaitPacketAsync(reader, either.Token);
            if (exchange is not null) await AnswerAsync(stream, reader, exchange, either.Token);
            ConnectResult granted = ReadConnack(reader, cleanStart, exchange);
            return Adopt(new Connection(stream, reader, granted, _options));
        }
        catch (Exception e)
        {
            if (stream is not null) await stream.DisposeAsync();
            reader?.Dispose();
            if (e is OperationCanceledException && !cancellationToken.IsCancellationRequested && timeout.IsCancellationRequested)
            {
                throw new MqttException(
                    $"{_options.Transport.Description} did not answer within {_options.ConnectTimeout.TotalSeconds:0.#} s; check address, port, "
                    + "firewall and that an MQTT server listens there.", null, e);
            }

            if (e is SocketException or IOException or AuthenticationException or WebSocketException)
            {
                throw new MqttException(ConnectAdvice.For(_options.Transport.Description, e), null, e);
            }

            throw;
        }
    }

    private Connection Adopt(Connection connection)
    {
        connection.LastSent = connection.LastReceived = Time.GetTimestamp();
        lock (_session.SyncRoot)
        {
            _session.Resume(connection.Granted.SessionPresent);
            _connection = connection;
            SendNext(connection);
        }

        return connection;
    }

    private async Task SendConnectAsync(Stream stream, bool cleanStart, IAuthenticationExchange? exchange, CancellationToken cancellationToken)
    {
        var output = new ArrayBufferWriter<byte>();
        WriteConnect(output, cleanStart, exchange);
        TraceSent(output.WrittenSpan);
        await stream.WriteAsync(output.WrittenMemory, cancellationToken);
        await stream.FlushAsync(cancellationToken);
    }

    private void WriteConnect(ArrayBufferWriter<byte> output, bool cleanStart, IAuthenticationExchange? exchange)
    {
        Span<byte> initial = stackalloc byte[256];
        Span<byte> willInitial = stackalloc byte[256];
        PropertyBuilder properties = PropertyBuilder.For(PacketType.Connect, initial);
        PropertyBuilder willProperties = PropertyBuilder.ForWill(willInitial);
        try
        {
            if (Version == ProtocolVersion.V5) AddConnectProperties(ref properties);
            if (exchange is not null) AddMethod(ref properties, exchange.First);
            PublishMessage? will = _options.Will?.Message;
            if (will?.ExpirySeconds is { } expiry) willProperties.Add(PropertyId.MessageExpiryInterval, expiry);
            _options.Will?.Properties?.AddTo(ref willProperties);
            new ConnectPacket
            {
                Version = Version,
                CleanStart = cleanStart,
                KeepAliveSeconds = _options.KeepAliveSeconds,
                ClientId = Encoding.UTF8.GetBytes(_options.ClientId),
                Properties = properties.Block,
                HasWill = will is not null,
                WillTopic = will is null ? default : will.Topic.Span,
                WillPayload = will is null ? default : will.Payload.Span,
                WillQoS = will?.QoS ?? QoS.AtMostOnce,
                WillRetain = will?.Retain ?? false,
                WillProperties = willProperties.Block,
                HasUserName = _options.UserName is not null,
                UserName = _options.UserName is null ? default : Encoding.UTF8.GetBytes(_options.UserName),
                HasPassword = _options.Password is not null,
                Password = _options.Password,
            }.Write(output);
        }
        finally
        {
            properties.Dispose();
            willProperties.Dispose();
        }
    }

    private void AddConnectProperties(ref PropertyBuilder properties)
    {
        if (_options.SessionExpirySeconds > 0) properties.Add(PropertyId.SessionExpiryInterval, _options.SessionExpirySeconds);
        if (_options.ReceiveMaximum != ushort.MaxValue) properties.Add(PropertyId.ReceiveMaximum, _options.ReceiveMaximum);
        properties.Add(PropertyId.MaximumPacketSize, (uint)_options.MaximumPacketSizeBytes);
        if (_options.TopicAliasMaximum > 0) properties.Add(PropertyId.TopicAliasMaximum, _options.TopicAliasMaximum);
        _options.Properties?.AddTo(ref properties);
    }

    private async Task AwaitPacketAsync(FrameReader reader, CancellationToken cancellationToken)
    {
        while (!reader.TryPeek(out _))
        {
            if (!await reader.FillAsync(cancellationToken))
            {
                throw new MqttException(
                    $"{_options.Transport.Description} closed the connection without an answer; it may not speak this MQTT version, not want this client, "
                    + "or not be an MQTT server. Its log should say.");
            }
        }
    }

    private ConnectResult ReadConnack(FrameReader reader, bool cleanStart, IAuthenticationExchange? exchange)
    {
        reader.TryPeek(out Frame frame);
        TraceReceived(frame);
        if (frame.Type == PacketType.Auth)
        {
            throw new MqttException(
                "The server asks for an authentication in several steps, which this client was not told to do; give it an authentication method, "
                + "or user name and password.", ReasonCode.BadAuthenticationMethod);
        }

        if (frame.Type == PacketType.Disconnect) throw Disconnected(frame);
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
            RequireMethod(connack.Properties);
            exchange.Confirm(connack.Properties.GetValue(PropertyId.AuthenticationData));
        }

        ConnectResult result = ConnectResult.From(connack, _options);
        reader.Consume(frame.Length);
        return result;
    }

    /// <summary>A server that does not know 5.0 says so as 3.1.1 has it, without properties [MQTT-3.1.2-2].</summary>
    private void RefuseOlderServer(in Frame frame)
    {
        if (Version != ProtocolVersion.V5 || !ConnackPacket.TryParse(frame, ProtocolVersion.V311, out ConnackPacket connack, out _)) return;
        if (connack.ReasonCode == ReasonCode.UnsupportedProtocolVersion) throw Refused(connack);
    }

    private MqttException Refused(in ConnackPacket connack) =>
        new($"The server at {_options.Transport.Description} refused the connection: {Explain(connack.ReasonCode, connack.Properties)}", connack.ReasonCode);

    private static string Explain(ReasonCode reason, PropertyBlock properties)
    {
        string text = $"{reason} (0x{(byte)reason:X2}). {ReasonAdvice.For(reason)}";
        if (properties.Has(PropertyId.ReasonString)) text += $" The server says: \"{Encoding.UTF8.GetString(properties.GetValue(PropertyId.ReasonString))}\".";
        if (properties.Has(PropertyId.ServerReference))
        {
            text += $" It names this server instead: {Encoding.UTF8.GetString(properties.GetValue(PropertyId.ServerReference))}.";
        }

        return text;
    }
}
