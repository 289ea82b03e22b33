using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace EdgeBroker.Http;

/// <summary>
/// A bound address of one listener: brings what it accepts to the <see cref="ConnectionHub"/>, until it gives the address free. It accepts itself: the
/// framework's would go round and round, and say nothing, while there are no descriptors.
/// </summary>
/// <param name="socket">Listens.</param>
/// <param name="wrap">Makes the framework's connection of a socket.</param>
/// <param name="bring">Takes a connection; false when nobody does any more.</param>
/// <param name="time">The clock of the rest.</param>
internal sealed class BoundSocket(Socket socket, Func<Socket, ConnectionContext> wrap, Func<ConnectionContext, Task<bool>> bring, TimeProvider time)
    : IAsyncDisposable
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private Task _accepting = Task.CompletedTask;

    /// <summary>Where it listens.</summary>
    public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

    /// <summary>Accepts from here on.</summary>
    /// <param name="rests">Told why it rests for a second: there are no descriptors, or no memory.</param>
    /// <param name="failed">Told when it cannot go on.</param>
    public void Accept(Action<string> rests, Action<Exception> failed) => _accepting = AcceptAsync(rests, failed);

    /// <summary>Gives the address free.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        socket.Dispose();
        await _accepting.ConfigureAwait(false);
        _stopping.Dispose();
    }

    private static bool IsShortage(SocketException exception) =>
        exception.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable;

    private async Task AcceptAsync(Action<string> rests, Action<Exception> failed)
    {
        try
        {
            while (!_stopping.IsCancellationRequested)
            {
                if (await AcceptOneAsync(rests).ConfigureAwait(false) is not { } accepted) continue;
                ConnectionContext connection = wrap(accepted);
                if (await bring(connection).ConfigureAwait(false)) continue;
                connection.Abort(new ConnectionAbortedException("the broker is stopping"));
                await connection.DisposeAsync().ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            if (!_stopping.IsCancellationRequested) failed(exception);
        }
    }

    /// <summary>Null: nobody, this time.</summary>
    private async Task<Socket?> AcceptOneAsync(Action<string> rests)
    {
        try
        {
            Socket accepted = await socket.AcceptAsync(_stopping.Token).ConfigureAwait(false);
            if (accepted.AddressFamily != AddressFamily.Unix) accepted.NoDelay = true;
            return accepted;
        }
        catch (SocketException exception) when (IsShortage(exception))
        {
            // The queue stays full: without a rest this would spin.
            // The framework has one word for the process's limit and the system's, and calls both the latter.
            rests(exception.SocketErrorCode == SocketError.TooManyOpenSockets ? "Too many open files" : exception.Message);
            await Task.Delay(Rest, time, _stopping.Token).ConfigureAwait(false);
            return null;
        }
        catch (SocketException) when (!_stopping.IsCancellationRequested)
        {
            // A peer that went away between its SYN and our accept.
            return null;
        }
    }
}
