using System.Net.Sockets;

namespace EdgeBroker.Client;

public sealed partial class MqttClient
{
    private static readonly TimeSpan ClosingTime = TimeSpan.FromSeconds(2);

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
            if (connection is not null) await connection.DisposeAsync();
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
                TimeSpan wait = backoff.Next();
                _options.ConnectionChanged?.Invoke(new ConnectionChange(false, null, failure, wait));
                await Task.Delay(wait, Time, _lifetime.Token);
            }

            isFirst = false;
            try
            {
                return await OpenAsync(cleanStart, _lifetime.Token);
            }
            catch (MqttException e)
            {
                failure = e;
            }
        }
    }

    /// <summary>Runs a connection to its end. Null when this side ended it in order, else why it was lost.</summary>
    private async Task<MqttException?> RunAsync(Connection connection)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(_lifetime.Token);
        Task reading = ReadAsync(connection, ending.Token);
        Task writing = WriteAsync(connection, ending.Token);
        Task keeping = KeepAliveAsync(connection, ending.Token);
        Task first = await Task.WhenAny(reading, writing, keeping);
        MqttException? failure = await LeaveAsync(connection, first, reading, writing);
        await ending.CancelAsync();
        await connection.Stream.DisposeAsync();
        await Task.WhenAll(reading, writing, keeping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Abandon(connection, failure);
        return failure;
    }

    /// <summary>What is left to be said or heard when the first of the three has ended; yields why the connection ended, null when by our own wish.</summary>
    private async Task<MqttException?> LeaveAsync(Connection connection, Task first, Task reading, Task writing)
    {
        bool isOurWish;
        lock (_session.SyncRoot) isOurWish = connection.IsClosing;
        if (isOurWish)
        {
            // The server closes after DISCONNECT; if we closed first, that could destroy what it has not read yet.
            await WaitBrieflyAsync(writing);
            if (writing.IsCompletedSuccessfully) await WaitBrieflyAsync(reading);
            return writing.IsCompletedSuccessfully ? null : Failure(writing);
        }

        if (first == writing)
        {
            // Writing failed; what the server said before it closed is still to be read, and tells why.
            await WaitBrieflyAsync(reading);
            return Failure(reading.IsFaulted ? reading : writing);
        }

        MqttException? failure = Failure(first);
        if (failure is { TellServer: true })
        {
            SendDisconnect(connection, failure.Reason ?? Protocol.ReasonCode.ProtocolError);
            await WaitBrieflyAsync(writing);
        }

        return failure;
    }

    private async Task WaitBrieflyAsync(Task task) =>
        await task.WaitAsync(ClosingTime, Time, _lifetime.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private void Abandon(Connection connection, MqttException? failure)
    {
        MqttException forWaiters = failure ?? new MqttException("The client was closed before the server answered.");
        lock (_session.SyncRoot)
        {
            _connection = null;
            foreach ((ushort packetId, PendingRequest request) in connection.Requests)
            {
                _session.Ids.Return(packetId);
                request.Fail(forWaiters);
            }

            connection.Requests.Clear();
            connection.Renewal?.Completion.TrySetException(forWaiters);
            connection.Outgoing.Complete();
        }

        connection.Reader.Dispose();
    }

    private MqttException? Failure(Task ended)
    {
        if (_lifetime.IsCancellationRequested) return null;
        Exception? cause = ended.Exception?.InnerException;
        if (cause is MqttException known) return known;
        bool reset = (cause?.InnerException as SocketException)?.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown;
        return new MqttException(
            reset ? $"{_options.Transport.Description} dropped the connection; its log should say why."
                : $"The connection to {_options.Transport.Description} was lost ({cause?.Message ?? "ended"}); check the network and the server.",
            null,
            cause);
    }
}
