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
            Connection connection = await OpenAnyAsync(cancellationToken);
            _supervisor = SuperviseAsync(connection);
            return connection.Granted;
        }
        catch (Exception e)
        {
            End(e as MqttException ?? new MqttException("Connecting was cancelled.", null, e));
            throw;
        }
    }

    private async Task<Connection> OpenAnyAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                Connection connection = await OpenAsync(_options.CleanStart, cancellationToken);
                _servers.Connected();
                return connection;
            }
            catch (MqttException)
            {
                _servers.Failed();
                if (_servers.IsRoundOver) throw;
            }
        }
    }

    private async Task<Connection> OpenAsync(bool cleanStart, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _lifetime.Token);
        return Adopt(await PacketConnection.OpenAsync(_options, _servers.Current, cleanStart, either.Token));
    }

    private Connection Adopt(PacketConnection opened)
    {
        opened.UseLock(_session.SyncRoot);
        var connection = new Connection(opened, _options);
        lock (_session.SyncRoot)
        {
            _session.Resume(connection.Granted.SessionPresent);
            _connection = connection;
            _counters.Connections++;
            SendNext(connection);
        }

        return connection;
    }
}
