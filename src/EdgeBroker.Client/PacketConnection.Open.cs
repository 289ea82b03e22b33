using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;

namespace EdgeBroker.Client;

public sealed partial class PacketConnection
{
    /// <summary>Opens a connection: the stream, CONNECT, authentication, CONNACK.</summary>
    /// <param name="options">How to connect, and the bounds.</param>
    /// <param name="server">The server; null: the one that the options name first.</param>
    /// <param name="cleanStart">Whether the server forgets an earlier session; null: as the options say.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="MqttException">The server cannot be reached, does not answer in time, or refuses.</exception>
    public static async Task<PacketConnection> OpenAsync(
        MqttClientOptions options, IClientTransport? server = null, bool? cleanStart = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        server ??= options.Transport;
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        Stream? stream = null;
        FrameReader? reader = null;
        try
        {
            ClientCredentials credentials = await options.FindCredentialsAsync(either.Token).ConfigureAwait(false);
            stream = await server.OpenAsync(either.Token).ConfigureAwait(false);
            reader = new FrameReader(stream, options.MaximumPacketSizeBytes);
            var exchange = new ConnectExchange(options, server, stream, reader);
            ConnectResult granted = await exchange.RunAsync(cleanStart ?? options.CleanStart, credentials, either.Token).ConfigureAwait(false);
            return new PacketConnection(options, server, stream, reader, granted);
        }
        catch (Exception e)
        {
            if (stream is not null) await stream.DisposeAsync().ConfigureAwait(false);
            reader?.Dispose();
            if (e is OperationCanceledException && !cancellationToken.IsCancellationRequested && timeout.IsCancellationRequested)
            {
                throw new MqttException(
                    $"{server.Description} did not answer within {options.ConnectTimeout.TotalSeconds:0.#} s; check address, port, "
                    + "firewall and that an MQTT server listens there.", null, e);
            }

            if (e is SocketException or IOException or AuthenticationException or WebSocketException) throw ConnectAdvice.Of(server.Description, e);

            throw;
        }
    }
}
