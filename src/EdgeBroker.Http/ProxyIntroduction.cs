using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using EdgeBroker.Transport.Proxies;
using Microsoft.AspNetCore.Connections;

namespace EdgeBroker.Http;

/// <summary>Takes the PROXY header off a connection, before TLS and HTTP: from proxies of the listener only, and within a time.</summary>
internal sealed class ProxyIntroduction(TrustedProxies proxies, TimeSpan timeout, TimeProvider time)
{
    /// <summary>Reads the header, and has the connection's remote end point be the client it names.</summary>
    /// <param name="connection">From which nothing has been read.</param>
    /// <param name="stopping">Ends the wait.</param>
    /// <returns>Why the connection is refused, empty when there is nothing to tell of; null: it is not.</returns>
    public async ValueTask<string?> ReadAsync(ConnectionContext connection, CancellationToken stopping)
    {
        if (!proxies.Trusts((connection.RemoteEndPoint as IPEndPoint)?.Address)) return TrustedProxies.Refusal;
        using var late = new CancellationTokenSource(timeout, time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stopping);
        try
        {
            return await ReadHeaderAsync(connection, ending.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return stopping.IsCancellationRequested
                ? ""
                : "no complete PROXY header within limits.connect_timeout; have the proxy send one, or take proxy_protocol off the listener";
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static async ValueTask<string?> ReadHeaderAsync(ConnectionContext connection, CancellationToken ending)
    {
        PipeReader input = connection.Transport.Input;
        while (true)
        {
            ReadResult result = await input.ReadAsync(ending).ConfigureAwait(false);
            switch (TryRead(result.Buffer, out SequencePosition end, out IPEndPoint? source, out string cause))
            {
                case ProxyHeaderStatus.Complete:
                    if (source is not null) connection.RemoteEndPoint = source;
                    input.AdvanceTo(end);
                    return null;
                case ProxyHeaderStatus.Malformed:
                    input.AdvanceTo(result.Buffer.Start);
                    return cause;
                default:
                    bool hasBegun = !result.Buffer.IsEmpty;
                    input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                    if (result.IsCompleted || result.IsCanceled) return hasBegun ? "the connection ended within its PROXY header" : "";
                    break;
            }
        }
    }

    private static ProxyHeaderStatus TryRead(in ReadOnlySequence<byte> buffer, out SequencePosition end, out IPEndPoint? source, out string cause)
    {
        Span<byte> bytes = stackalloc byte[(int)Math.Min(buffer.Length, ProxyHeader.MaxBytes)];
        buffer.Slice(0, bytes.Length).CopyTo(bytes);
        ProxyHeaderStatus status = ProxyHeader.TryRead(bytes, out int lengthBytes, out source, out cause);
        end = buffer.GetPosition(lengthBytes);
        return status;
    }
}
