using EdgeBroker.Bridge.Connections;
using EdgeBroker.Client;

namespace EdgeBroker.Bridge.Hosting;

// One connection after the other.
internal sealed partial class RunningBridge
{
    private bool IsDue
    {
        get
        {
            bool hasBacklog = HasBacklog;
            lock (_lock.Alone()) return _isDrainOrdered ? hasBacklog : _isWanted && (!IsLazy || hasBacklog);
        }
    }

    private async Task SuperviseAsync()
    {
        // Whoever begins it does not wait for the first attempt.
        await Task.Yield();
        Tell(isConnected: false);
        while (!_lifetime.IsCancellationRequested)
        {
            try
            {
                await UntilDueAsync().ConfigureAwait(false);
                MqttException? failure = await TryOnceAsync().ConfigureAwait(false);
                if (failure is not null && IsDue && _servers.IsRoundOver) await PauseAsync(failure).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_lifetime.IsCancellationRequested)
            {
                break;
            }
            catch (Exception exception)
            {
                // A bug here must not leave the bridge dead beside a broker that works.
                NoteLeft();
                _state.Note(FailureLayer.Mqtt, exception.Message);
                BridgeLog.Fault(_state.Environment.Log, Options.Name, exception.Message, exception);
                await PauseAsync(new MqttException(exception.Message)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        Enter(BridgePhase.Stopped);
    }

    private async Task UntilDueAsync()
    {
        while (!IsDue)
        {
            bool isLookingOut;
            lock (_lock.Alone())
            {
                // A drain is over when nothing waits.
                _isDrainOrdered = false;
                isLookingOut = _isWanted && IsLazy;
            }

            Enter(isLookingOut ? BridgePhase.Idle : BridgePhase.Stopped);
            if (isLookingOut) await _wake.WaitAsync(LookInterval, Time, _lifetime.Token).ConfigureAwait(false);
            else await _wake.WaitAsync(_lifetime.Token).ConfigureAwait(false);
        }
    }

    /// <summary>Connects, and runs the connection to its end. Null: it ended as it should.</summary>
    private async Task<MqttException?> TryOnceAsync()
    {
        Enter(BridgePhase.Connecting);
        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(_lifetime.Token);
        lock (_lock.Alone()) _attempt = attempt;
        PacketConnection? remote = null;
        try
        {
            remote = await PacketConnection.OpenAsync(Options.Connection, _servers.Current, null, attempt.Token).ConfigureAwait(false);
            _servers.Connected();
        }
        catch (MqttException failure)
        {
            _servers.Failed();
            return failure;
        }
        catch (OperationCanceledException) when (!_lifetime.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            if (remote is null) NoteLeft();
        }

        return await RunAsync(remote).ConfigureAwait(false);
    }

    private async Task<MqttException?> RunAsync(PacketConnection remote)
    {
        var connection = new BridgeConnection(_state, remote);
        bool isWanted;
        lock (_lock.Alone())
        {
            (_connection, _attempt) = (connection, null);
            isWanted = _isWanted || _isDrainOrdered;
        }

        if (!isWanted) connection.Leave();
        _state.Counters.CountConnection();
        long since = Time.GetTimestamp();
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(_lifetime.Token);
        Task attending = AttendAsync(connection, remote.Server, ready.Task, ending.Token);
        Task failingBack = FailBackAsync(connection, ending.Token);
        MqttException? failure;
        try
        {
            failure = await connection.RunAsync(() => ready.TrySetResult(), _lifetime.Token).ConfigureAwait(false);
        }
        finally
        {
            NoteLeft();
            await ending.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(attending, failingBack).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await remote.DisposeAsync().ConfigureAwait(false);
            if (ready.Task.IsCompleted) Tell(isConnected: false);
        }

        _backoff.ConnectionLasted(Time.GetElapsedTime(since));
        _servers.Lost();
        if (failure is null) BridgeLog.Left(_state.Environment.Log, Options.Name, remote.Server);
        else BridgeLog.Lost(_state.Environment.Log, Options.Name, failure.Message);
        return failure;
    }

    /// <summary>Tells that the bridge is connected, and has it leave when there is nothing left to do.</summary>
    private async Task AttendAsync(BridgeConnection connection, string server, Task ready, CancellationToken cancel)
    {
        await ready.WaitAsync(cancel).ConfigureAwait(false);
        Enter(BridgePhase.Connected);
        Tell(isConnected: true);
        BridgeLog.Connected(_state.Environment.Log, Options.Name, server, BacklogMessages);
        long since = Time.GetTimestamp();
        long busyAt = since;
        while (true)
        {
            await Task.Delay(LookInterval, Time, cancel).ConfigureAwait(false);
            if (Options.RenewAfter is { } renewAfter && Time.GetElapsedTime(since) >= renewAfter) connection.Leave();
            bool isDrain;
            lock (_lock.Alone()) isDrain = _isDrainOrdered;
            if (!isDrain && !IsLazy) continue;
            if (HasBacklog) busyAt = Time.GetTimestamp();
            else if (isDrain || Time.GetElapsedTime(busyAt) >= Options.IdleTimeout) connection.Leave();
        }
    }

    private async Task FailBackAsync(BridgeConnection connection, CancellationToken cancel)
    {
        if (!_servers.MayFailBack) return;
        await _servers.WaitForFirstAsync(Options.Connection, cancel).ConfigureAwait(false);
        _servers.FailBack();
        connection.Leave();
    }

    private async Task PauseAsync(MqttException failure)
    {
        TimeSpan wait = _backoff.Next();
        _state.Note(failure.Layer, failure.Message);
        Enter(BridgePhase.Waiting, wait);
        BridgeLog.NotConnected(_state.Environment.Log, Options.Name, failure.Message, Math.Round(wait.TotalSeconds, 1));
        await _wake.WaitAsync(wait, Time, _lifetime.Token).ConfigureAwait(false);
    }
}
