using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Transport.Linux;

namespace EdgeBroker.Coap.Client;

/// <summary>What a load is to be.</summary>
/// <param name="Server">Whom to ask.</param>
/// <param name="Path">The segments of the path.</param>
/// <param name="Query">The arguments.</param>
/// <param name="Clients">Clients, each with a port of its own and one request open at a time.</param>
/// <param name="Duration">How long.</param>
public sealed record CoapLoadOptions(IPEndPoint Server, IReadOnlyList<string> Path, IReadOnlyList<string> Query, int Clients, TimeSpan Duration)
{
    /// <summary>The body of PUTs; null: GETs.</summary>
    public byte[]? Body { get; init; }

    /// <summary>Whether clients observe, and are told what one more client puts, in place of asking.</summary>
    public bool Observes { get; init; }
}

/// <summary>What came of a load.</summary>
/// <param name="Answers">Answers, or notifications.</param>
/// <param name="Failed">Answers that say no.</param>
/// <param name="Repeated">Requests sent again since nothing came within two seconds; of observers, values that some were not told in time.</param>
/// <param name="Elapsed">From the first request to the last answer.</param>
/// <param name="MedianMs">Time to an answer, or of a value to the last observer: half of them took no longer.</param>
/// <param name="SlowMs">And 99 of a hundred.</param>
public sealed record CoapLoadResult(long Answers, long Failed, long Repeated, TimeSpan Elapsed, double MedianMs, double SlowMs)
{
    /// <summary>Answers in a second.</summary>
    public double PerSecond => Answers / Math.Max(Elapsed.TotalSeconds, 1e-6);
}

/// <summary>Loads a CoAP server over UDP from many ports, on one thread: closed loops, as of sensors that wait for their acknowledgement.</summary>
public sealed class CoapLoad : IDisposable
{
    private const int TokenLength = 4;
    private static readonly TimeSpan RegistrationLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ResendInterval = TimeSpan.FromSeconds(2);

    private readonly CoapLoadOptions _options;
    private readonly TimeProvider _time;
    private readonly Client[] _clients;
    private readonly Epoll _epoll = new();
    private readonly byte[] _buffer = new byte[65_535];
    private readonly List<double> _times = [];
    private long _answers;
    private long _failed;
    private long _repeated;

    /// <param name="options">The load.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="SocketException">The machine does not give so many ports.</exception>
    public CoapLoad(CoapLoadOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _clients = new Client[options.Clients + (options.Observes ? 1 : 0)];
        for (int i = 0; i < _clients.Length; i++)
        {
            var socket = new Socket(options.Server.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
            _clients[i] = new Client(socket, i);
            socket.Connect(options.Server);
            _epoll.Add((int)socket.Handle, LinuxSockets.EpollIn, i);
        }
    }

    /// <summary>Runs it.</summary>
    /// <param name="cancel">Ends it early.</param>
    public CoapLoadResult Run(CancellationToken cancel)
    {
        long start = _time.GetTimestamp();
        if (!_options.Observes) RunRequests(start, cancel);
        else if (Register(start, cancel)) RunObservers(start = _time.GetTimestamp(), cancel);
        TimeSpan elapsed = _time.GetElapsedTime(start);
        _times.Sort();
        return new CoapLoadResult(_answers, _failed, _repeated, elapsed, At(0.5), At(0.99));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Client client in _clients) client.Socket.Dispose();
        _epoll.Dispose();
    }

    private double At(double share) => _times.Count == 0 ? 0 : _times[(int)(share * (_times.Count - 1))];

    private bool IsOver(long start, CancellationToken cancel) => cancel.IsCancellationRequested || _time.GetElapsedTime(start) >= _options.Duration;

    private void RunRequests(long start, CancellationToken cancel)
    {
        CoapCode method = _options.Body is null ? CoapCode.Get : CoapCode.Put;
        foreach (Client client in _clients) Ask(client, method, observe: null, _options.Body ?? []);
        while (!IsOver(start, cancel))
        {
            foreach (Client client in Wait(100))
            {
                while (Take(client) is { } answer)
                {
                    if (answer != Kind.Answer) continue;
                    _answers++;
                    _times.Add(_time.GetElapsedTime(client.SentAt).TotalMilliseconds);
                    Ask(client, method, observe: null, _options.Body ?? []);
                }
            }

            Repeat();
        }
    }

    // Not a part of what is measured, however long the server needs for it.
    private bool Register(long start, CancellationToken cancel)
    {
        Client[] observers = _clients[.._options.Clients];
        foreach (Client one in observers) Ask(one, CoapCode.Get, observe: 0, []);
        while (observers.Any(one => one.IsWaiting))
        {
            if (cancel.IsCancellationRequested || _time.GetElapsedTime(start) >= RegistrationLimit) return false;
            foreach (Client client in Wait(100)) TakeAll(client);
            Repeat();
        }

        _repeated = 0;
        return true;
    }

    private void RunObservers(long start, CancellationToken cancel)
    {
        Client[] observers = _clients[.._options.Clients];
        Client publisher = _clients[^1];
        for (ulong value = 1; !IsOver(start, cancel); value++)
        {
            byte[] body = new byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64BigEndian(body, value);
            Ask(publisher, CoapCode.Put, observe: null, body);
            long sentAt = publisher.SentAt;
            while ((publisher.IsWaiting || observers.Any(one => one.LastValue < value)) && !IsOver(start, cancel))
            {
                foreach (Client client in Wait(100)) TakeAll(client);
                if (_time.GetElapsedTime(sentAt) < ResendInterval) continue;
                _repeated++;
                break;
            }

            _times.Add(_time.GetElapsedTime(sentAt).TotalMilliseconds);
        }
    }

    private void TakeAll(Client client)
    {
        while (Take(client) is { } kind)
        {
            if (kind == Kind.Notification) _answers++;
        }
    }

    private IEnumerable<Client> Wait(int timeoutMs)
    {
        int ready = _epoll.Wait(timeoutMs);
        for (int i = 0; i < ready; i++)
        {
            _epoll.Get(i, out _, out long index);
            yield return _clients[index];
        }
    }

    private void Repeat()
    {
        long now = _time.GetTimestamp();
        foreach (Client client in _clients)
        {
            if (!client.IsWaiting || _time.GetElapsedTime(client.SentAt, now) < ResendInterval) continue;
            _repeated++;
            client.SentAt = now;
            Send(client, client.Request.AsSpan(0, client.RequestLength));
        }
    }

    private void Ask(Client client, CoapCode method, uint? observe, ReadOnlySpan<byte> body)
    {
        Span<byte> token = stackalloc byte[TokenLength];
        BinaryPrimitives.WriteInt32BigEndian(token, client.Index);
        var writer = new CoapWriter(client.Request, CoapType.Confirmable, method, ++client.MessageId, token);
        if (observe is { } value) writer.Add(OptionNumber.Observe, value);
        foreach (string segment in _options.Path) writer.Add(OptionNumber.UriPath, System.Text.Encoding.UTF8.GetBytes(segment));
        foreach (string argument in _options.Query) writer.Add(OptionNumber.UriQuery, System.Text.Encoding.UTF8.GetBytes(argument));
        writer.AddPayload(body);
        client.RequestLength = writer.Length;
        client.IsWaiting = true;
        client.SentAt = _time.GetTimestamp();
        Send(client, client.Request.AsSpan(0, writer.Length));
    }

    private static void Send(Client client, ReadOnlySpan<byte> datagram)
    {
        try
        {
            client.Socket.Send(datagram);
        }
        catch (SocketException)
        {
            // As if lost: it is sent again.
        }
    }

    /// <summary>Takes a datagram; null: none is there.</summary>
    private Kind? Take(Client client)
    {
        int length;
        try
        {
            if (client.Socket.Available == 0) return null;
            length = client.Socket.Receive(_buffer);
        }
        catch (SocketException)
        {
            return null;
        }

        ReadOnlySpan<byte> datagram = _buffer.AsSpan(0, length);
        if (CoapMessage.Parse(datagram, out CoapMessage message) != CoapFormatError.None) return Kind.Other;
        bool isNotification = message.Find(OptionNumber.Observe) is not null;
        if (isNotification && message.Payload.Length == sizeof(ulong)) client.LastValue = BinaryPrimitives.ReadUInt64BigEndian(message.Payload);
        if (message.Type == CoapType.Confirmable)
        {
            Span<byte> acknowledgement = stackalloc byte[CoapMessage.HeaderLength];
            CoapWriter.WriteEmpty(acknowledgement, CoapType.Acknowledgement, message.MessageId);
            Send(client, acknowledgement);
            if (isNotification) return Kind.Notification;
        }

        // A response that comes separately has an acknowledgement of its own before it.
        if (!client.IsWaiting || message.Code == CoapCode.Empty || (message.Type == CoapType.Acknowledgement && message.MessageId != client.MessageId))
        {
            return isNotification ? Kind.Notification : Kind.Other;
        }

        client.IsWaiting = false;
        if (!message.Code.IsSuccess) _failed++;
        return Kind.Answer;
    }

    private enum Kind
    {
        Other,
        Answer,
        Notification,
    }

    private sealed class Client(Socket socket, int index)
    {
        public Socket Socket => socket;

        public int Index => index;

        public byte[] Request { get; } = new byte[2_048];

        public int RequestLength { get; set; }

        /// <summary>Begins anywhere (RFC 7252, 4.4): the port may have been that of another one, whose messages the server remembers.</summary>
        public ushort MessageId { get; set; } = (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue + 1);

        public bool IsWaiting { get; set; }

        public long SentAt { get; set; }

        public ulong LastValue { get; set; }
    }
}
