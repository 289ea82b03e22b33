using System.Runtime.InteropServices;
using System.Text;
using EdgeBroker.Protocol;
using EdgeBroker.Transport.Buffers;
using EdgeBroker.Transport.Linux;

namespace EdgeBroker.Bench;

/// <summary>A client of the run: a socket that does not block, from connecting to the end. What it does when ready is its subclass's.</summary>
internal abstract unsafe class LoadConnection(LoadRun run, string clientId)
{
    private const int MaxPacketOverhead = 128 * 1024;

    private const uint KeptSeconds = 3600;

    // How many it may use toward us.
    private const int ServersAliases = 64;

    private int _fd = -1;
    private bool _isConnecting;
    private bool _expectsClose;
    private ReceivedBytes _received;
    private long _openedNs;

    /// <summary>Its place in the loop's table.</summary>
    public int Index { get; set; }

    /// <summary>Whether it is connected and, if it wants to be, subscribed.</summary>
    public bool IsReady { get; private set; }

    /// <summary>Whether the socket took less than it was given.</summary>
    public bool IsBlocked { get; private set; }

    /// <summary>Whether its PINGREQ is still without an answer.</summary>
    public bool AwaitsPong { get; private set; }

    /// <summary>Receive Maximum of the server; 3.1.1 has none.</summary>
    public int ReceiveMaximum { get; private set; } = ushort.MaxValue;

    /// <summary>How many topic aliases the server takes from a client.</summary>
    public int TopicAliasMaximum { get; private set; }

    /// <summary>From the first system call to CONNACK.</summary>
    public long ConnectNs { get; private set; }

    /// <summary>Whether its session stays when it goes, and is resumed when it comes again.</summary>
    public bool KeepsSession { get; init; }

    protected LoadRun Run { get; } = run;

    protected LoadLoop Loop { get; } = run.Loop;

    protected WriteBuffer Output { get; } = new();

    private ProtocolVersion Version => Run.Options.Version;

    /// <summary>Begins to connect.</summary>
    public void Open()
    {
        SocketAddress address = Loop.Address;
        _openedNs = Loop.NowNs;
        _fd = LinuxSockets.Socket(address.Family, LinuxSockets.Stream | LinuxSockets.NonBlocking | LinuxSockets.CloseOnExec, 0);
        if (_fd < 0)
        {
            Break($"Another socket cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}.");
            return;
        }

        OnOpened(_fd);
        if (address.UnixPath is null) SetNoDelay();
        int result;
        fixed (byte* bytes = address.Bytes) result = LoadSockets.Connect(_fd, bytes, address.Bytes.Length);
        int error = result == 0 ? 0 : Marshal.GetLastPInvokeError();
        _isConnecting = true;
        Loop.Watch(this, _fd, LinuxSockets.EpollOut);
        if (error is not (0 or LoadSockets.ErrorInProgress)) Break($"Connecting to {address.Text}: {Marshal.GetPInvokeErrorMessage(error)}.");
    }

    /// <summary>epoll has something to tell.</summary>
    public void OnEvents(uint ready)
    {
        // It may have closed earlier in this iteration.
        if (_fd < 0) return;
        if (_isConnecting)
        {
            OnConnected();
            return;
        }

        if ((ready & LinuxSockets.EpollOut) != 0) Flush();
        if (_fd >= 0 && (ready & (LinuxSockets.EpollIn | LinuxSockets.EpollError | LinuxSockets.EpollHangUp)) != 0) Read();
    }

    /// <summary>Asks for a PINGRESP, behind which nothing is left that the server had for this client before.</summary>
    public void Ping()
    {
        if (_fd < 0) return;
        PingPacket.WriteRequest(Output);
        AwaitsPong = true;
        Flush();
    }

    /// <summary>Says DISCONNECT; the server closes.</summary>
    public void Disconnect()
    {
        if (_fd < 0) return;
        new DisconnectPacket { Type = PacketType.Disconnect }.Write(Output, Version);
        _expectsClose = true;
        Flush();
    }

    /// <summary>Closes the socket at once.</summary>
    public void Close() => Close(unasked: null);

    /// <summary>Sends what is written, as far as the socket takes it.</summary>
    public void Flush()
    {
        while (Output.Length > 0 && _fd >= 0)
        {
            nint sent;
            ReadOnlySpan<byte> waiting = Output.Waiting;
            fixed (byte* bytes = waiting) sent = LinuxSockets.Send(_fd, bytes, waiting.Length, LinuxSockets.NoSignal);
            if (sent >= 0)
            {
                Output.Consume((int)sent);
                continue;
            }

            int error = Marshal.GetLastPInvokeError();
            if (error == LinuxSockets.ErrorInterrupted) continue;
            if (error == LinuxSockets.ErrorAgain) SetBlocked(true);
            else Break($"The connection of {clientId} broke: {Marshal.GetPInvokeErrorMessage(error)}.");
            return;
        }

        if (IsBlocked) SetBlocked(false);
    }

    /// <summary>A PUBLISH.</summary>
    protected virtual void OnPublish(in Frame frame) => Break($"{clientId} received a PUBLISH although it has not subscribed.");

    /// <summary>One of the four packets that acknowledge.</summary>
    protected virtual void OnAcknowledgement(in AckPacket packet) => Break($"{clientId} received an acknowledgement of nothing.");

    /// <summary>The socket has been made.</summary>
    protected virtual void OnOpened(int fd)
    {
    }

    /// <summary>Receives as <c>recv</c> does.</summary>
    protected virtual nint Receive(int fd, Span<byte> buffer)
    {
        fixed (byte* start = buffer) return LinuxSockets.Receive(fd, start, buffer.Length, 0);
    }

    /// <summary>Bytes have been handled and answers written.</summary>
    protected virtual void OnRoom()
    {
    }

    /// <summary>The payload of the SUBSCRIBE packets to send, in order; none by default.</summary>
    protected virtual IReadOnlyList<byte[]> Subscriptions => [];

    /// <summary>The connection is over, unasked.</summary>
    protected void Break(string explanation) => Close(explanation);

    private void SetNoDelay()
    {
        int one = 1;
        // Only Nagle's delay is at stake; a socket without it still measures.
        _ = LinuxSockets.SetSocketOption(_fd, LinuxSockets.IpProtoTcp, LinuxSockets.TcpNoDelay, &one, sizeof(int));
    }

    private void OnConnected()
    {
        int error = 0, length = sizeof(int);
        _ = LoadSockets.GetSocketOption(_fd, LinuxSockets.SolSocket, LoadSockets.ErrorOption, &error, &length);
        if (error != 0)
        {
            Break($"Connecting to {Loop.Address.Text}: {Marshal.GetPInvokeErrorMessage(error)}.");
            return;
        }

        _isConnecting = false;
        Loop.Rewatch(this, _fd, LinuxSockets.EpollIn);
        BenchOptions options = Run.Options;
        using PropertyBuilder properties = PropertyBuilder.For(PacketType.Connect, stackalloc byte[16]);
        if (KeepsSession) properties.Add(PropertyId.SessionExpiryInterval, KeptSeconds);
        if (options.WithAliases) properties.Add(PropertyId.TopicAliasMaximum, ServersAliases);
        new ConnectPacket
        {
            Properties = properties.Block,
            Version = Version,
            CleanStart = !KeepsSession,
            ClientId = Encoding.UTF8.GetBytes(clientId),
            HasUserName = options.UserName is not null,
            UserName = Encoding.UTF8.GetBytes(options.UserName ?? ""),
            HasPassword = options.Password is not null,
            Password = Encoding.UTF8.GetBytes(options.Password ?? ""),
        }.Write(Output);
        Flush();
    }

    private void Read()
    {
        Span<byte> room = _received.Room(Loop.ReceiveBuffer, out int kept);
        nint count = Receive(_fd, room[kept..]);
        if (count > 0)
        {
            Handle(room[..(kept + (int)count)]);
            return;
        }

        if (count < 0 && Marshal.GetLastPInvokeError() is LinuxSockets.ErrorAgain or LinuxSockets.ErrorInterrupted) return;
        if (_expectsClose)
        {
            Close(unasked: null);
        }
        else
        {
            Break(
                count == 0
                    ? $"The broker closed the connection of {clientId}."
                    : $"The connection of {clientId} broke: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }

    private void Handle(Span<byte> bytes)
    {
        Run.BeginRead();
        int at = 0, announced;
        FrameStatus status;
        while ((status = Frame.Cut(bytes[at..], Run.Options.PayloadBytes + MaxPacketOverhead, out Frame frame, out announced)) == FrameStatus.Complete)
        {
            at += frame.Length;
            if (frame.Type == PacketType.Publish) OnPublish(frame);
            else OnPacket(frame);
            if (_fd < 0) return;
        }

        if (status != FrameStatus.Incomplete)
        {
            Break($"{clientId} received what is no MQTT packet.");
            return;
        }

        _received.Keep(bytes[at..], announced, hasLoggedIn: true);
        if (Output.Length > 0 && !IsBlocked) Flush();
        OnRoom();
    }

    private void OnPacket(in Frame frame)
    {
        switch (frame.Type)
        {
            case PacketType.Connack: OnConnack(frame); break;
            case PacketType.Suback: OnSuback(frame); break;
            case PacketType.Pingresp:
                AwaitsPong = false;
                Loop.Progress++;
                break;
            case PacketType.Puback or PacketType.Pubrec or PacketType.Pubrel or PacketType.Pubcomp:
                if (AckPacket.TryParse(frame, Version, out AckPacket packet, out ParseError error)) OnAcknowledgement(packet);
                else Break($"{clientId} received a bad {frame.Type}: {error.Explanation}.");
                break;
            case PacketType.Disconnect:
                DisconnectPacket.TryParse(frame, Version, out DisconnectPacket goodbye, out _);
                Break($"The broker disconnected {clientId}: {goodbye.ReasonCode}.");
                break;
            default: Break($"{clientId} received a {frame.Type}, which a server does not send."); break;
        }
    }

    private void OnConnack(in Frame frame)
    {
        if (!ConnackPacket.TryParse(frame, Version, out ConnackPacket packet, out ParseError error))
        {
            Break($"{clientId} received a bad CONNACK: {error.Explanation}.");
        }
        else if (packet.ReasonCode.IsError())
        {
            Break($"The broker refused {clientId}: {packet.ReasonCode}.");
        }
        else
        {
            ConnectNs = Loop.NowNs - _openedNs;
            ReceiveMaximum = (int)packet.Properties.GetNumber(PropertyId.ReceiveMaximum, ushort.MaxValue);
            TopicAliasMaximum = (int)packet.Properties.GetNumber(PropertyId.TopicAliasMaximum, 0);
            SubscribeNext(0);
        }
    }

    private void OnSuback(in Frame frame)
    {
        if (!SubackPacket.TryParse(frame, Version, out SubackPacket packet, out ParseError error))
        {
            Break($"{clientId} received a bad SUBACK: {error.Explanation}.");
            return;
        }

        foreach (ReasonCode code in packet.ReasonCodes)
        {
            if ((byte)code == (byte)Run.Options.QoS) continue;
            Break(code.IsError() ? $"The broker refused a subscription of {clientId}: {code}." : $"The broker grants {clientId} only {code}.");
            return;
        }

        SubscribeNext(packet.PacketId);
    }

    private void SubscribeNext(int index)
    {
        if (index < Subscriptions.Count)
        {
            new SubscribePacket { PacketId = (ushort)(index + 1), Filters = Subscriptions[index] }.Write(Output, Version);
            Loop.Progress++;
            return;
        }

        if (IsReady) return;
        IsReady = true;
        Loop.NoteReady();
    }

    private void SetBlocked(bool blocked)
    {
        if (IsBlocked == blocked) return;
        IsBlocked = blocked;
        Loop.Rewatch(this, _fd, LinuxSockets.EpollIn | (blocked ? LinuxSockets.EpollOut : 0));
        if (!blocked) OnRoom();
    }

    private void Close(string? unasked)
    {
        if (_fd >= 0) _ = LinuxSockets.Close(_fd);
        else if (unasked is null) return;
        _fd = -1;
        _received.Clear();
        Loop.NoteClosed(this, unasked);
        IsReady = false;
    }
}
