using System.Net;
using System.Net.Sockets;
using System.Text;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Tests.Codec;
using EdgeBroker.Testing;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;

namespace EdgeBroker.Coap.Tests.Rig;

/// <summary>Loses one datagram of a link, once; and keeps what was sent over it.</summary>
/// <param name="toServer">Of which direction.</param>
/// <param name="number">Which one, beginning with 0; negative: none.</param>
internal sealed class DtlsLoss(bool toServer, int number)
{
    private int _seen;

    /// <summary>Whether it was lost.</summary>
    public bool HasLost { get; private set; }

    /// <summary>All datagrams of the client.</summary>
    public List<byte[]> Sent { get; } = [];

    public bool Loses(bool isToServer)
    {
        if (isToServer != toServer || _seen++ != number) return false;
        return HasLost = true;
    }
}

/// <summary>A client of DTLS by the library's own client side, over a real socket. What blocks runs beside the test.</summary>
internal sealed class DtlsClient : IDisposable
{
    private readonly Link _link;
    private DtlsTransport? _dtls;
    private int? _acknowledged;

    private readonly KeyClient? _peer;

    private DtlsClient(Link link, KeyClient? peer) => (_link, _peer) = (link, peer);

    /// <summary>Shakes hands by a key.</summary>
    /// <exception cref="IOException">The server refuses, or does not answer in time.</exception>
    public static Task<DtlsClient> ConnectAsync(
        string server, string identity, byte[] key, bool withConnectionId = false, int suite = CipherSuite.TLS_PSK_WITH_AES_128_CCM_8,
        int timeoutMs = 30_000, DtlsLoss? loss = null) =>
        ConnectAsync(server, new KeyClient(identity, key, withConnectionId, suite, timeoutMs), loss);

    /// <summary>Shakes hands.</summary>
    public static async Task<DtlsClient> ConnectAsync(string server, TlsClient peer, DtlsLoss? loss = null)
    {
        var client = new DtlsClient(new Link(IPEndPoint.Parse(server), loss), peer as KeyClient);
        try
        {
            await Deadline.Within(Task.Factory.StartNew(
                () => client._dtls = new DtlsClientProtocol().Connect(peer, client._link),
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default), "a handshake");
            return client;
        }
        catch
        {
            client._link.Dispose();
            throw;
        }
    }

    /// <summary>The last datagram it sent.</summary>
    public byte[] LastSent => _link.LastSent;

    /// <summary>Where it is.</summary>
    public IPEndPoint LocalEndPoint => _link.LocalEndPoint;

    /// <summary>Goes on from another port, as behind a NAT that has forgotten it.</summary>
    public void MoveToAnotherPort() => _link.Move();

    /// <summary>Sends bytes past DTLS.</summary>
    public void SendRaw(byte[] datagram) => _link.Send(datagram);

    public void Send(string hex)
    {
        byte[] bytes = Hex.Bytes(hex);
        _dtls!.Send(bytes, 0, bytes.Length);
    }

    /// <summary>The next message; waits for it. An answer that comes again since its acknowledgement was late is none.</summary>
    public async Task<Answer> ReceiveAsync()
    {
        while (true)
        {
            Answer answer = await TryReceiveAsync(TimeSpan.FromSeconds(30)) ?? throw new InvalidOperationException("nothing came within 30 s");
            if (answer.Type != CoapType.Confirmable || answer.MessageId != _acknowledged) return answer;
            Acknowledge(answer);
        }
    }

    /// <summary>The next message; null: none came in that time.</summary>
    public Task<Answer?> TryReceiveAsync(TimeSpan limit) => Task.Factory.StartNew(
        () =>
        {
            byte[] buffer = new byte[4_096];
            int length = _dtls!.Receive(buffer, 0, buffer.Length, (int)limit.TotalMilliseconds);
            if (length < 0) return null;
            (_, NaiveMessage? message) = NaiveMessage.Read(buffer[..length]);
            return new Answer(message!, length);
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>
    /// Asks, and waits for the answer; an acknowledgement without it, as of a server that needs longer, is not one, and the answer behind it is acknowledged.
    /// </summary>
    public async Task<Answer> AskAsync(string hex)
    {
        Send(hex);
        while (true)
        {
            Answer answer = await ReceiveAsync();
            if (answer.Code == CoapCode.Empty && answer.Type == CoapType.Acknowledgement) continue;
            if (answer.Type == CoapType.Confirmable) Acknowledge(answer);
            return answer;
        }
    }

    /// <summary>Asks again and again until there is an answer, as where datagrams get lost.</summary>
    public async Task<Answer> AskUntilAnsweredAsync(string hex)
    {
        for (int i = 0; i < 30; i++)
        {
            Send(hex);
            if (await TryReceiveAsync(TimeSpan.FromSeconds(2)) is { } answer) return answer;
        }

        throw new InvalidOperationException("nothing came within a minute");
    }

    /// <summary>Waits until the server has said close_notify.</summary>
    public async Task ClosedAsync()
    {
        for (int i = 0; i < 300 && !_peer!.IsClosed; i++) await TryReceiveAsync(TimeSpan.FromMilliseconds(200));
        Assert.True(_peer!.IsClosed, "no close_notify came");
    }

    /// <summary>Says close_notify.</summary>
    public void Close() => _dtls!.Close();

    public void Dispose() => _link.Dispose();

    private void Acknowledge(Answer answer)
    {
        _acknowledged = answer.MessageId;
        byte[] bytes = [0x60, 0, (byte)(answer.MessageId >> 8), (byte)answer.MessageId];
        _dtls!.Send(bytes, 0, bytes.Length);
    }

    private sealed class Link(IPEndPoint server, DtlsLoss? loss) : DatagramTransport, IDisposable
    {
        private volatile UdpClient _socket = Connect(server);

        public byte[] LastSent { get; private set; } = [];

        public IPEndPoint LocalEndPoint => (IPEndPoint)_socket.Client.LocalEndPoint!;

        public void Move()
        {
            UdpClient former = _socket;
            _socket = Connect(server);
            former.Dispose();
        }

        public int GetReceiveLimit() => 4_096;

        public int GetSendLimit() => 1_400;

        public int Receive(byte[] buf, int off, int len, int waitMillis) => Receive(buf.AsSpan(off, len), waitMillis);

        public int Receive(Span<byte> buffer, int waitMillis)
        {
            Socket socket = _socket.Client;
            try
            {
                if (!socket.Poll(TimeSpan.FromMilliseconds(waitMillis), SelectMode.SelectRead)) return -1;
                int length = socket.Receive(buffer);
                return loss?.Loses(isToServer: false) == true ? -1 : length;
            }
            catch (SocketException)
            {
                // Nobody listens there any more.
                return -1;
            }
        }

        public void Send(byte[] buf, int off, int len) => Send(buf.AsSpan(off, len));

        public void Send(ReadOnlySpan<byte> buffer)
        {
            LastSent = buffer.ToArray();
            loss?.Sent.Add(LastSent);
            if (loss?.Loses(isToServer: true) == true) return;
            try
            {
                _socket.Client.Send(buffer);
            }
            catch (SocketException)
            {
                // As if lost.
            }
        }

        public void Close()
        {
        }

        public void Dispose() => _socket.Dispose();

        private static UdpClient Connect(IPEndPoint server)
        {
            var client = new UdpClient(server.AddressFamily);
            client.Connect(server);
            return client;
        }
    }

    private sealed class KeyClient(string identity, byte[] key, bool withConnectionId, int suite, int timeoutMs)
        : PskTlsClient(new BcTlsCrypto(), new BasicTlsPskIdentity(Encoding.UTF8.GetBytes(identity), key))
    {
        public bool IsClosed { get; private set; }

        public override void NotifyAlertReceived(short alertLevel, short alertDescription) => IsClosed |= alertDescription == AlertDescription.close_notify;

        public override int GetHandshakeTimeoutMillis() => timeoutMs;

        protected override ProtocolVersion[] GetSupportedVersions() => [ProtocolVersion.DTLSv12];

        protected override int[] GetSupportedCipherSuites() => [suite];

        protected override byte[]? GetNewConnectionID() => withConnectionId ? [] : null;
    }
}
