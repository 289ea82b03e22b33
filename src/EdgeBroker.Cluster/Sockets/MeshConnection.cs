using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Core;

namespace EdgeBroker.Cluster.Sockets;

/// <summary>A connection to another node: carries bytes between a stream and its <see cref="PeerLink"/>.</summary>
/// <param name="stream">The stream; closed at the end.</param>
/// <param name="node">The mesh node.</param>
/// <param name="thread">Its thread.</param>
/// <param name="broker">Whose publishers write to the link.</param>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore that nobody waits for by handle holds nothing.")]
internal sealed class MeshConnection(Stream stream, MeshNode node, MeshThread thread, Broker broker)
{
    private const int ReadBytes = 64 * 1024;
    private const int WriteBytes = 64 * 1024;

    private readonly SemaphoreSlim _toSend = new(0);
    private int _isSignalled;

    /// <summary>Serves it until it ends.</summary>
    /// <param name="expected">Which node it is; null: it will say.</param>
    /// <param name="isDialed">Whether this node has connected.</param>
    /// <param name="cancel">Ends it.</param>
    /// <returns>Whether the node has been linked.</returns>
    public async Task<bool> ServeAsync(byte? expected, bool isDialed, CancellationToken cancel)
    {
        PeerLink link = await thread.RunAsync(() => node.Open(expected, isDialed, Signal)).ConfigureAwait(false);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task<string> reading = ReadAsync(link, end.Token);
        Task<string> writing = WriteAsync(link, end.Token);
        Task<string> first = await Task.WhenAny(reading, writing).ConfigureAwait(false);
        string cause = await first.ConfigureAwait(false);
        await end.CancelAsync().ConfigureAwait(false);
        await stream.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(reading, writing).ConfigureAwait(false);
        return await thread.RunAsync(() =>
        {
            node.Close(link, cause);
            return link.HasBeenLinked;
        }).ConfigureAwait(false);
    }

    // A publisher may hold a lock.
    private void Signal()
    {
        if (Interlocked.Exchange(ref _isSignalled, 1) == 0) broker.Loops.Defer(() => _toSend.Release());
    }

    private async Task<string> ReadAsync(PeerLink link, CancellationToken cancel)
    {
        byte[] buffer = new byte[ReadBytes];
        try
        {
            while (!link.IsClosed)
            {
                int length = await stream.ReadAsync(buffer, cancel).ConfigureAwait(false);
                if (length == 0) return "it has closed the connection";
                // The next is read when this is done with: what comes faster waits in the other node.
                await thread.RunAsync(() =>
                {
                    node.Receive(link, buffer.AsSpan(0, length));
                    return true;
                }).ConfigureAwait(false);
            }

            // What it still has to be told is being written.
            var ended = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            return await ended.Task.WaitAsync(cancel).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            return CauseOf(exception);
        }
    }

    private async Task<string> WriteAsync(PeerLink link, CancellationToken cancel)
    {
        byte[] buffer = new byte[WriteBytes];
        try
        {
            while (true)
            {
                await _toSend.WaitAsync(cancel).ConfigureAwait(false);
                Volatile.Write(ref _isSignalled, 0);
                bool isClosed = link.IsClosed;
                int length = 0;
                while (link.TryTake(out ReadOnlyMemory<byte> bytes))
                {
                    if (length + bytes.Length > buffer.Length)
                    {
                        await stream.WriteAsync(buffer.AsMemory(0, length), cancel).ConfigureAwait(false);
                        length = 0;
                    }

                    bytes.CopyTo(buffer.AsMemory(length));
                    length += bytes.Length;
                }

                await stream.WriteAsync(buffer.AsMemory(0, length), cancel).ConfigureAwait(false);
                await stream.FlushAsync(cancel).ConfigureAwait(false);
                if (isClosed) return link.Cause ?? "this node ends the connection";
            }
        }
        catch (Exception exception)
        {
            return CauseOf(exception);
        }
    }

    // Whatever happens ends this connection and no other; what is a bug has been reported where it was thrown, or is here.
    private string CauseOf(Exception exception)
    {
        if (exception is OperationCanceledException) return "this node ends the connection";
        if (exception is IOException or ObjectDisposedException or SocketException) return exception.Message;
        broker.ReportFault(exception, "a connection of the mesh");
        return "a bug of this node, see its log";
    }
}
