using System.Net;
using System.Net.Sockets;
using Org.BouncyCastle.Tls;

namespace EdgeBroker.Coap.Tests.Rig;

/// <summary>Somebody who begins DTLS handshakes and has no key.</summary>
internal static class Stranger
{
    /// <summary>From a port of its own: asks for a cookie, shows it, and goes. False: no cookie came.</summary>
    /// <param name="server">The listener.</param>
    /// <param name="number">Tells one ClientHello from another.</param>
    public static async Task<bool> BeginHandshakeAsync(string server, int number)
    {
        var to = IPEndPoint.Parse(server);
        using var socket = new UdpClient(to.AddressFamily);
        socket.Connect(to);
        await socket.SendAsync(Hello(number, [], 0));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            UdpReceiveResult answer = await socket.ReceiveAsync(limit.Token);
            if (answer.Buffer.Length < 28 || answer.Buffer[13] != HandshakeType.hello_verify_request) return false;
            byte[] cookie = answer.Buffer.AsSpan(28, answer.Buffer[27]).ToArray();
            await socket.SendAsync(Hello(number, cookie, 1));
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static byte[] Hello(int number, byte[] cookie, byte sequence)
    {
        byte[] random = new byte[32];
        BitConverter.TryWriteBytes(random, number);
        byte[] body = [0xFE, 0xFD, .. random, 0, (byte)cookie.Length, .. cookie, 0, 2, 0xC0, 0xA8, 1, 0];
        byte[] message = [1, 0, 0, (byte)body.Length, 0, sequence, 0, 0, 0, 0, 0, (byte)body.Length, .. body];
        return [22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, sequence, 0, (byte)message.Length, .. message];
    }
}
