using System.IO.Pipelines;

namespace EdgeBroker.Transport.Tls;

/// <summary>Looks at the first byte of a connection, which tells what the client believes to speak.</summary>
public static class FirstByte
{
    private const byte TlsHandshake = 0x16;

    /// <summary>Waits for the first byte and leaves it where it is; null: the peer went without one.</summary>
    public static async ValueTask<byte?> PeekAsync(PipeReader input, CancellationToken cancellation)
    {
        ReadResult result = await input.ReadAsync(cancellation).ConfigureAwait(false);
        byte? first = result.Buffer.IsEmpty ? null : result.Buffer.FirstSpan[0];
        // Not examined: the next read returns it at once.
        input.AdvanceTo(result.Buffer.Start);
        return first;
    }

    /// <summary>Whether it begins TLS.</summary>
    public static bool IsTls(byte first) => first == TlsHandshake;

    /// <summary>What begins like this, for one who expected TLS.</summary>
    public static string Explain(byte first) => first switch
    {
        0x10 => "the client speaks plain MQTT to a TLS listener; give it the CA file (--cafile) or the plain port",
        (byte)'G' or (byte)'P' or (byte)'H' or (byte)'O' => "the client speaks plain HTTP to a TLS listener; it must use wss:// or https://",
        _ => $"what the client sent is no TLS (its first byte is 0x{first:X2})",
    };
}
