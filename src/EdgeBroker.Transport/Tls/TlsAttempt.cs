namespace EdgeBroker.Transport.Tls;

/// <summary>The handshake of a <see cref="TlsConnection"/>, computed on the thread pool while nothing is read; in between it waits for records.</summary>
internal sealed class TlsAttempt(ServerHandshake handshake, HandshakeSlots.Slot slot, RecordStream records, Action<Exception?> conclude)
{
    private bool _hasBegun;

    /// <summary>What came of it.</summary>
    public ServerHandshake Handshake => handshake;

    /// <summary>Goes on with records, from the first on.</summary>
    public void GoOn(ReadOnlySpan<byte> given)
    {
        slot.IsWaiting = false;
        records.Give(given);
        if (_hasBegun) return;
        _hasBegun = true;
        ThreadPool.UnsafeQueueUserWorkItem(static attempt => _ = attempt.RunAsync(), this, preferLocal: false);
    }

    /// <summary>It waits for the client.</summary>
    public void Wait() => slot.IsWaiting = true;

    private async Task RunAsync()
    {
        Exception? failure = null;
        try
        {
            await handshake.RunAsync(records.Tls).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        // Free again before anyone hears how it went.
        slot.Dispose();
        conclude(failure);
    }
}
