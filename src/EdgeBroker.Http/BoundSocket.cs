using System.Net;
using Microsoft.AspNetCore.Connections;

namespace EdgeBroker.Http;

/// <summary>A bound address of one listener: brings what it accepts to the <see cref="ConnectionHub"/>, until it gives the address free.</summary>
/// <param name="socket">The socket, and the buffers of those who came through it.</param>
/// <param name="bring">Takes a connection; false when nobody does any more.</param>
internal sealed class BoundSocket(IConnectionListener socket, Func<ConnectionContext, Task<bool>> bring)
{
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _accepting = Task.CompletedTask;

    // Its connections, and one for the socket itself.
    private int _holders = 1;

    /// <summary>Where it listens.</summary>
    public EndPoint EndPoint => socket.EndPoint;

    /// <summary>Accepts from here on.</summary>
    /// <param name="failed">Told when it cannot go on.</param>
    public void Accept(Action<Exception> failed) => _accepting = AcceptAsync(failed);

    /// <summary>Gives the address free. Its buffers go when the last connection that uses them has.</summary>
    public async Task StopAsync()
    {
        await socket.UnbindAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        _ = DisposeWhenReleasedAsync();
        Release();
    }

    private async Task AcceptAsync(Action<Exception> failed)
    {
        try
        {
            while (await socket.AcceptAsync().ConfigureAwait(false) is { } connection)
            {
                Interlocked.Increment(ref _holders);
                connection.ConnectionClosed.UnsafeRegister(static state => ((BoundSocket)state!).Release(), this);
                if (await bring(connection).ConfigureAwait(false)) continue;
                connection.Abort(new ConnectionAbortedException("the broker is stopping"));
                await connection.DisposeAsync().ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            failed(exception);
        }
    }

    private async Task DisposeWhenReleasedAsync()
    {
        await _released.Task.ConfigureAwait(false);
        await socket.DisposeAsync().ConfigureAwait(false);
    }

    private void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0) _released.TrySetResult();
    }
}
