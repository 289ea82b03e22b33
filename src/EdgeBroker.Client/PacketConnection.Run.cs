using System.Net.Sockets;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

public sealed partial class PacketConnection
{
    /// <summary>Runs the connection to its end, once.</summary>
    /// <param name="handler">Takes what comes.</param>
    /// <param name="lifetime">Cuts the connection.</param>
    /// <returns>Why it was lost; null: this side ended it, and the server had all of it.</returns>
    public async Task<MqttException?> RunAsync(IPacketHandler handler, CancellationToken lifetime)
    {
        ArgumentNullException.ThrowIfNull(handler);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(lifetime);
        Task reading = ReadAsync(handler, ending.Token);
        Task writing = WriteAsync(handler, ending.Token);
        Task keeping = KeepAliveAsync(ending.Token);
        Task leaving = GiveUpLeavingAsync(ending.Token);
        Task first = await Task.WhenAny(reading, writing, keeping, leaving).ConfigureAwait(false);
        MqttException? failure = await LeaveAsync(first, reading, writing, lifetime).ConfigureAwait(false);
        await ending.CancelAsync().ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(reading, writing, keeping, leaving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (SyncRoot) Outgoing.Complete();
        _reader.Dispose();
        return failure;
    }

    /// <summary>Ends when this side wants to leave and the server takes nothing of what is still to be said.</summary>
    private async Task GiveUpLeavingAsync(CancellationToken cancellationToken)
    {
        await _closing.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        long since = Time.GetTimestamp();
        while (true)
        {
            TimeSpan left = LeavingTime - Time.GetElapsedTime(Math.Max(since, Volatile.Read(ref _lastSent)));
            if (left <= TimeSpan.Zero) return;
            // Whatever the server takes meanwhile puts the end off.
            await Task.Delay(left, Time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>What is left to be said or heard when the first of the three has ended; yields why the connection ended, null when by our own wish.</summary>
    private async Task<MqttException?> LeaveAsync(Task first, Task reading, Task writing, CancellationToken lifetime)
    {
        bool isOurWish;
        lock (SyncRoot) isOurWish = IsClosing;
        if (isOurWish)
        {
            // The server closes after DISCONNECT; if we closed first, that could destroy what it has not read yet.
            await WaitBrieflyAsync(writing, lifetime).ConfigureAwait(false);
            if (writing.IsCompletedSuccessfully) await WaitBrieflyAsync(reading, lifetime).ConfigureAwait(false);
            return writing.IsCompletedSuccessfully ? null : Failure(writing, lifetime);
        }

        if (first == writing)
        {
            // Writing failed; what the server said before it closed is still to be read, and tells why.
            await WaitBrieflyAsync(reading, lifetime).ConfigureAwait(false);
            return Failure(reading.IsFaulted ? reading : writing, lifetime);
        }

        MqttException? failure = Failure(first, lifetime);
        if (failure is { TellServer: true })
        {
            Close(failure.Reason ?? ReasonCode.ProtocolError);
            await WaitBrieflyAsync(writing, lifetime).ConfigureAwait(false);
        }

        return failure;
    }

    private async Task WaitBrieflyAsync(Task task, CancellationToken lifetime) =>
        await task.WaitAsync(ClosingTime, Time, lifetime).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private MqttException? Failure(Task ended, CancellationToken lifetime)
    {
        if (lifetime.IsCancellationRequested) return null;
        Exception? cause = ended.Exception?.InnerException;
        if (cause is MqttException known) return known;
        bool reset = (cause?.InnerException as SocketException)?.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown;
        return new MqttException(
            reset ? $"{Server} dropped the connection; its log should say why."
                : $"The connection to {Server} was lost ({cause?.Message ?? "ended"}); check the network and the server.",
            null,
            cause);
    }
}
