namespace EdgeBroker.Client;

public sealed partial class MqttClient
{
    private bool IsEnding
    {
        get
        {
            lock (_session.SyncRoot) return _isLeaving || _lifetime.IsCancellationRequested;
        }
    }

    /// <summary>Begins to connect, and tries again until it succeeds; needs <see cref="MqttClientOptions.Reconnect"/>.</summary>
    public void Start()
    {
        if (_options.Reconnect is null) throw new InvalidOperationException("Starting without a connection needs the Reconnect option.");
        Begin();
        _supervisor = SuperviseAsync(null);
    }

    private async Task SuperviseAsync(Connection? connection)
    {
        MqttException? failure = null;
        try
        {
            var backoff = new Backoff(_options.Reconnect ?? new ReconnectOptions());
            bool isFirst = true;
            while (true)
            {
                bool isRestored = connection is null;
                connection ??= await ReconnectAsync(backoff, isFirst, failure);
                _options.ConnectionChanged?.Invoke(new ConnectionChange(true, connection.Granted, null, null));
                if (isRestored && !connection.Granted.SessionPresent) _ = RestoreSubscriptionsAsync();
                long since = Time.GetTimestamp();
                failure = await RunAsync(connection);
                connection = null;
                _servers.Lost();
                isFirst = false;
                if (failure is null || _options.Reconnect is null || IsEnding) break;
                backoff.ConnectionLasted(Time.GetElapsedTime(since));
            }

            _options.ConnectionChanged?.Invoke(new ConnectionChange(false, null, failure, null));
        }
        catch (OperationCanceledException) when (_lifetime.IsCancellationRequested)
        {
            failure = null;
        }
        catch (Exception e)
        {
            // A callback of the application, or a bug here: nobody may wait for ever because of it.
            failure = new MqttException($"The client ended unexpectedly: {e.Message}", null, e);
            if (connection is not null) await connection.Packets.DisposeAsync();
        }

        End(failure);
    }

    private async Task<Connection> ReconnectAsync(Backoff backoff, bool isFirst, MqttException? failure)
    {
        bool cleanStart = _options.CleanStart;
        while (true)
        {
            if (!isFirst)
            {
                // The session of before is wanted back wherever the server keeps it.
                cleanStart = !_options.SessionLasts;
                TimeSpan wait = _servers.IsRoundOver ? backoff.Next() : TimeSpan.Zero;
                _options.ConnectionChanged?.Invoke(new ConnectionChange(false, null, failure, wait));
                if (wait > TimeSpan.Zero) await Task.Delay(wait, Time, _lifetime.Token);
            }

            isFirst = false;
            try
            {
                Connection connection = await OpenAsync(cleanStart, _lifetime.Token);
                _servers.Connected();
                return connection;
            }
            catch (MqttException e)
            {
                failure = e;
                _servers.Failed();
            }
        }
    }

    /// <summary>Runs a connection to its end. Null when this side ended it in order, else why it was lost.</summary>
    private async Task<MqttException?> RunAsync(Connection connection)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_lifetime.Token);
        Task<bool> failingBack = FailBackAsync(connection, ended.Token);
        MqttException? failure = await connection.Packets.RunAsync(new Receiver(this, connection), _lifetime.Token);
        await ended.CancelAsync();
        await ((Task)failingBack).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (failingBack.IsCompletedSuccessfully && await failingBack && !IsEnding)
        {
            failure ??= new MqttException($"The client goes back to {_servers.Current.Description}, which answers again.");
        }

        Abandon(connection, failure);
        return failure;
    }

    /// <summary>While connected to another server than the first: leaves it when the first answers again. True when that has happened.</summary>
    private async Task<bool> FailBackAsync(Connection connection, CancellationToken cancellationToken)
    {
        if (!_servers.MayFailBack || _options.Reconnect is null) return false;
        await _servers.WaitForFirstAsync(_options, cancellationToken);
        _servers.FailBack();
        connection.Packets.Close();
        return true;
    }

    private void Abandon(Connection connection, MqttException? failure)
    {
        MqttException forWaiters = failure ?? new MqttException("The client was closed before the server answered.");
        lock (_session.SyncRoot)
        {
            _connection = null;
            _counters.PastBytesSent += connection.Packets.BytesSent;
            _counters.PastBytesReceived += connection.Packets.BytesReceived;
            foreach ((ushort packetId, PendingRequest request) in connection.Requests)
            {
                _session.Ids.Return(packetId);
                request.Fail(forWaiters);
            }

            connection.Requests.Clear();
            connection.Renewal?.Completion.TrySetException(forWaiters);
        }
    }
}
