using System.Net.Security;

namespace EdgeBroker.Transport.Tls;

/// <summary>
/// A handshake that the broker begins with itself when a listener opens. The first of a process takes three times as long as the next: OpenSSL makes its
/// context and looks its algorithms up, and code comes from the disk. No client has to wait for that.
/// </summary>
public static class FirstHandshake
{
    // A ClientHello of TLS 1.3 [RFC 8446, 4.1.2] up to its random bytes, and what follows them.
    private static ReadOnlySpan<byte> Head => [0x16, 3, 1, 0, 122, 1, 0, 0, 118, 3, 3];

    private static ReadOnlySpan<byte> Tail =>
    [
        0, 0, 6, 0x13, 1, 0x13, 2, 0x13, 3, 1, 0, 0, 71,
        0, 43, 0, 3, 2, 3, 4, // supported_versions: 1.3
        0, 10, 0, 4, 0, 2, 0, 29, // supported_groups: x25519
        0, 13, 0, 10, 0, 8, 4, 3, 5, 3, 8, 4, 8, 5, // signature_algorithms: ECDSA with P-256 and P-384, RSA-PSS
        0, 51, 0, 38, 0, 36, 0, 29, 0, 32, // key_share: x25519, any 32 bytes
        9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
    ];

    /// <summary>Has it on the thread pool.</summary>
    /// <param name="material">What the listener's files hold.</param>
    /// <param name="time">The clock by which certificates are valid.</param>
    public static void Begin(TlsMaterial material, TimeProvider time) =>
        ThreadPool.UnsafeQueueUserWorkItem(static start => _ = RunAsync(start.Material, start.Time), (Material: material, Time: time), preferLocal: false);

    /// <summary>Has it, as far as a server gets before its client answers.</summary>
    /// <returns>Bytes the server has sent.</returns>
    internal static async Task<long> RunAsync(TlsMaterial material, TimeProvider time)
    {
        var client = new HelloStream([.. Head, .. new byte[32], .. Tail]);
        await using (client.ConfigureAwait(false))
        {
            var tls = new SslStream(client);
            await using (tls.ConfigureAwait(false))
            {
                try
                {
                    await new ServerHandshake(material, time).RunAsync(tls).ConfigureAwait(false);
                }
                catch (Exception failure) when (ServerHandshake.IsExpected(failure))
                {
                    // This client has nothing more to say.
                }
            }
        }

        return client.Received;
    }

    /// <summary>A client that says hello, hears the answer and is gone.</summary>
    private sealed class HelloStream(byte[] hello) : MemoryStream(hello, writable: false)
    {
        public long Received { get; private set; }

        public override bool CanWrite => true;

        public override void Write(byte[] buffer, int offset, int count) => Received += count;

        public override void Write(ReadOnlySpan<byte> buffer) => Received += buffer.Length;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Received += buffer.Length;
            return ValueTask.CompletedTask;
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        {
            Received += count;
            return Task.CompletedTask;
        }
    }
}
