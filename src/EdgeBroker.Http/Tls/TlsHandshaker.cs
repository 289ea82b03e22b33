using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using EdgeBroker.Mqtt.Tls;
using EdgeBroker.Transport.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace EdgeBroker.Http.Tls;

/// <summary>The TLS of one listener over Kestrel's connections.</summary>
internal sealed class TlsHandshaker(ListenerTls tls)
{
    private static readonly TimeSpan DisconnectTimeout = TimeSpan.FromSeconds(1);

    /// <summary>What does not depend on whose connections they are.</summary>
    public ListenerTls Shared => tls;

    /// <summary>Serves a connection behind its handshake.</summary>
    public async Task ServeAsync(ConnectionContext connection, string peer, ConnectionDelegate next, CancellationToken stopping)
    {
        TlsMaterial material = tls.Material;
        await using var stream = new SslStream(new TransportStream(connection.Transport), leaveInnerStreamOpen: false);
        var handshake = new ServerHandshake(material, tls.Time);
        if (!await AuthenticateAsync(connection, handshake, stream, peer, material.Options, stopping).ConfigureAwait(false)) return;

        IDuplexPipe plain = connection.Transport;
        var session = new TlsSession(stream, handshake.Identity, handshake.Peer is { } certificate ? new CertificateStanding(certificate, tls) : null);
        connection.Features.Set(session);
        connection.Features.Set<ITlsConnectionFeature>(session);
        connection.Transport = session;
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            connection.Transport = plain;
            await SayGoodbyeAsync(stream, plain.Input).ConfigureAwait(false);
        }
    }

    private async Task<bool> AuthenticateAsync(
        ConnectionContext connection, ServerHandshake handshake, SslStream stream, string peer, TlsOptions options, CancellationToken stopping)
    {
        using var timeout = new CancellationTokenSource(options.HandshakeTimeout, tls.Time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stopping);
        HandshakeSlots.Slot? slot = null;
        bool isGivenUp = false;
        try
        {
            if (await HelloAsync(connection.Transport.Input, ending.Token).ConfigureAwait(false) is { } cause)
            {
                if (cause.Length > 0) tls.OnFailed(peer, cause);
                return false;
            }

            slot = tls.Slots.TryEnter((connection.RemoteEndPoint as IPEndPoint)?.Address, options.MaxHandshakes, () =>
            {
                isGivenUp = true;
                // It may be over by now.
                connection.Abort(new ConnectionAbortedException("the slot of its handshake is given to another client"));
            });
            if (slot is null)
            {
                tls.OnRefused(peer);
                return false;
            }

            // Whose turn it is cannot be seen here; what is computed takes no time that counts.
            slot.IsWaiting = true;
            await handshake.RunAsync(stream, ending.Token).ConfigureAwait(false);
            // Free again before anyone hears how it went.
            slot.Dispose();
            tls.OnSucceeded();
            return true;
        }
        catch (Exception exception) when (handshake.Explain(exception) is not null)
        {
            slot?.Dispose();
            if (isGivenUp) tls.OnRefused(peer);
            else if (!stopping.IsCancellationRequested) tls.OnFailed(peer, handshake.Explain(exception)!);
            return false;
        }
        finally
        {
            slot?.Dispose();
        }
    }

    /// <summary>Waits for a whole ClientHello, or what is there in place of one, and leaves it where it is.</summary>
    /// <returns>Why no handshake can come of it, empty when there is nothing to tell of; null: one can.</returns>
    private static async Task<string?> HelloAsync(PipeReader input, CancellationToken cancellation)
    {
        while (true)
        {
            ReadResult result = await input.ReadAsync(cancellation).ConfigureAwait(false);
            ReadOnlySequence<byte> received = result.Buffer;
            int whole = CutWhole(received, out byte? first);
            bool isOver = whole != 0 || result.IsCompleted || result.IsCanceled || (first is { } one && !FirstByte.IsTls(one));
            // Not examined: the next read returns it at once.
            input.AdvanceTo(received.Start, isOver ? received.Start : received.End);
            if (!isOver) continue;
            if (first is not { } begin) return "";
            if (!FirstByte.IsTls(begin)) return FirstByte.Explain(begin);
            if (whole == TlsRecord.Malformed) return "what the client sent is no TLS";
            return whole == 0 ? HandshakeFailure.Left : null;
        }
    }

    private static int CutWhole(in ReadOnlySequence<byte> received, out byte? first)
    {
        first = received.IsEmpty ? null : received.FirstSpan[0];
        if (received.IsSingleSegment) return TlsRecord.CutWhole(received.FirstSpan, out _);
        byte[] bytes = ArrayPool<byte>.Shared.Rent((int)received.Length);
        received.CopyTo(bytes);
        int whole = TlsRecord.CutWhole(bytes.AsSpan(0, (int)received.Length), out _);
        ArrayPool<byte>.Shared.Return(bytes);
        return whole;
    }

    /// <summary>close_notify, and the peer's end awaited: closing with bytes unread would make the kernel discard what the peer has not read yet.</summary>
    private async Task SayGoodbyeAsync(SslStream stream, PipeReader input)
    {
        using var timeout = new CancellationTokenSource(DisconnectTimeout, tls.Time);
        try
        {
            await stream.ShutdownAsync().WaitAsync(timeout.Token).ConfigureAwait(false);
            while (true)
            {
                ReadResult rest = await input.ReadAsync(timeout.Token).ConfigureAwait(false);
                input.AdvanceTo(rest.Buffer.End);
                if (rest.IsCompleted || rest.IsCanceled) return;
            }
        }
        catch (Exception exception) when (ServerHandshake.IsExpected(exception))
        {
            // The peer is gone, or does not answer: nobody is left to be polite to.
        }
    }
}
