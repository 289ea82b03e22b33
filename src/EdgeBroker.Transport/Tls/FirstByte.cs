using System.IO.Pipelines;

namespace EdgeBroker.Transport.Tls;

/// <summary>Looks at the first byte of a connection, which tells what the client believes to speak.</summary>
public static class FirstByte
{
    private const byte TlsHandshake = 0x16;
    private const byte MqttConnect = 0x10;

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

    /// <summary>What begins like this, for one who expected HTTP; null: it may be HTTP.</summary>
    /// <param name="first">The first byte, behind TLS where the listener speaks it.</param>
    /// <param name="protocol">What the listener speaks, as the configuration names it.</param>
    public static string? ExplainToHttp(byte first, string protocol) => first switch
    {
        TlsHandshake => "the client speaks TLS to a plain listener; use the port that speaks TLS, or a URL without the \"s\"",
        MqttConnect => $"the client speaks MQTT without WebSocket to a listener with protocol \"{protocol}\"; it must use the port of an mqtt or mqtts"
            + " listener, or a ws:// or wss:// URL",
        _ => null,
    };

    /// <summary>What begins like this, for one who expected TLS.</summary>
    public static string Explain(byte first) => first switch
    {
        MqttConnect => "the client speaks plain MQTT to a TLS listener; give it the CA file (--cafile) or the plain port",
        (byte)'G' or (byte)'P' or (byte)'H' or (byte)'O' => "the client speaks plain HTTP to a TLS listener; it must use wss:// or https://",
        _ => $"what the client sent is no TLS (its first byte is 0x{first:X2})",
    };
}
