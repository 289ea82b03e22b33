using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Transport.Linux;

namespace EdgeBroker.Coap.Listeners;

/// <summary>
/// A UDP socket that takes and sends what is there together: one call waits for a datagram and takes all that are there then, another sends the answers.
/// </summary>
internal sealed class UdpPort : IDisposable
{
    // The largest datagram there is.
    private const int MaxDatagramBytes = 65_535;

    // Nobody is sent more: a block of 1,024 bytes with its options, in a record, or a part of a handshake's flight.
    private const int MaxSentBytes = 2_048;

    // What as many observers as there may be acknowledge at once: some 700 bytes each, as the system counts. It gives what it permits.
    private const int ReceiveBufferBytes = 4 * 1024 * 1024;

    // <linux/in.h> and <linux/in6.h>: IP_MULTICAST_ALL, IPV6_MULTICAST_ALL.
    private const int MulticastAll = 49;
    private const int MulticastAllOfIPv6 = 29;

    private static readonly TimeSpan AfterError = TimeSpan.FromMilliseconds(10);

    private readonly Socket _socket;
    private readonly SemaphoreSlim _closed = new(0);
    private readonly bool _isIPv6;
    private readonly Lock _sending = new();
    private DatagramBatch? _out;

    /// <exception cref="IOException">The address cannot be listened on.</exception>
    public UdpPort(IPEndPoint address)
    {
        _isIPv6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        _socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (_isIPv6) _socket.DualMode = false;
            LeaveGroupsOfOthers();
            _socket.ReceiveBufferSize = ReceiveBufferBytes;
            _socket.Bind(address);
            Address = (IPEndPoint)_socket.LocalEndPoint!;
        }
        catch (SocketException exception)
        {
            _socket.Dispose();
            throw new IOException($"cannot listen on {address}: {exception.Message}", exception);
        }
    }

    // A socket on all addresses would also be given what is sent to groups that another process of this machine has joined, and answer it.
    private void LeaveGroupsOfOthers()
    {
        try
        {
            _socket.SetRawSocketOption(
                (int)(_isIPv6 ? SocketOptionLevel.IPv6 : SocketOptionLevel.IP), _isIPv6 ? MulticastAllOfIPv6 : MulticastAll, stackalloc byte[sizeof(int)]);
        }
        catch (SocketException)
        {
            // For IPv6 Linux knows it from 4.20 on: an older one serves all the same.
        }
    }

    /// <summary>Where it is, with the port the system chose.</summary>
    public IPEndPoint Address { get; }

    /// <summary>
    /// Takes datagrams until it is disposed of, on a thread of its own, which waits in the call itself: handing datagrams on would cost as much as answering.
    /// </summary>
    /// <param name="take">Takes one: where it came from, its bytes, which may be changed until it returns, and their number.</param>
    /// <param name="begin">Is told before those that came together.</param>
    /// <param name="end">Is told behind them.</param>
    /// <returns>Is done when the thread has ended.</returns>
    public Task ReceiveAsync(Action<PeerEndPoint, byte[], int> take, Action begin, Action end)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Run()
        {
            try
            {
                Receive(take, begin, end);
                ended.SetResult();
            }
            catch (Exception exception)
            {
                ended.SetException(exception);
            }
        }

        new Thread(Run) { IsBackground = true, Name = "coap" }.Start();
        return ended.Task;
    }

    /// <summary>Sends datagrams, without waiting; any thread.</summary>
    /// <returns>How many the system has not taken.</returns>
    public int Send(List<(PeerEndPoint To, byte[] Datagram)> datagrams)
    {
        int unsent = 0;
        Span<byte> address = stackalloc byte[DatagramBatch.MaxAddressLength];
        lock (_sending.Alone())
        {
            if (_socket.SafeHandle.IsClosed) return datagrams.Count;
            DatagramBatch batch = _out ??= new DatagramBatch(MaxSentBytes);
            foreach ((PeerEndPoint to, byte[] datagram) in datagrams)
            {
                int length = Write(to, address);
                if (batch.TryAdd(address[..length], datagram)) continue;
                unsent += SendBatch(batch);
                if (!batch.TryAdd(address[..length], datagram)) unsent++;
            }

            if (batch.Count > 0) unsent += SendBatch(batch);
        }

        return unsent;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _closed.Release();
        lock (_sending.Alone())
        {
            _out?.Dispose();
            _out = null;
        }
    }

    private static PeerEndPoint ToPeer(ReadOnlySpan<byte> address)
    {
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(address[2..]);
        return MemoryMarshal.Read<ushort>(address) == (ushort)LinuxSockets.AddressFamilyInet
            ? new PeerEndPoint(new UInt128(0, 0xFFFF_0000_0000ul | BinaryPrimitives.ReadUInt32BigEndian(address[4..])), port)
            : new PeerEndPoint(BinaryPrimitives.ReadUInt128BigEndian(address[8..]), port, BinaryPrimitives.ReadUInt32LittleEndian(address[24..]));
    }

    private int Write(in PeerEndPoint peer, Span<byte> address)
    {
        address.Clear();
        short family = (short)(_isIPv6 ? LinuxSockets.AddressFamilyInet6 : LinuxSockets.AddressFamilyInet);
        MemoryMarshal.Write(address, family);
        BinaryPrimitives.WriteUInt16BigEndian(address[2..], peer.Port);
        if (!_isIPv6)
        {
            BinaryPrimitives.WriteUInt32BigEndian(address[4..], (uint)peer.Address);
            return 16;
        }

        BinaryPrimitives.WriteUInt128BigEndian(address[8..], peer.Address);
        BinaryPrimitives.WriteUInt32LittleEndian(address[24..], peer.Scope);
        return DatagramBatch.MaxAddressLength;
    }

    private void Receive(Action<PeerEndPoint, byte[], int> take, Action begin, Action end)
    {
        byte[] buffer = GC.AllocateUninitializedArray<byte>(MaxDatagramBytes);
        using var batch = new DatagramBatch(MaxDatagramBytes);
        while (!_socket.SafeHandle.IsClosed)
        {
            int count = WithDescriptor(batch, static (one, descriptor) => one.Receive(descriptor));
            if (_socket.SafeHandle.IsClosed) return;
            if (count == 0)
            {
                // Memory is short, or the interface is gone: what lasts is not to be asked for in a loop.
                _closed.Wait(AfterError);
                continue;
            }

            begin();
            try
            {
                for (int i = 0; i < count; i++)
                {
                    ReadOnlySpan<byte> datagram = batch.Datagram(i);
                    datagram.CopyTo(buffer);
                    take(ToPeer(batch.Address(i)), buffer, datagram.Length);
                }
            }
            finally
            {
                end();
            }
        }
    }

    private int SendBatch(DatagramBatch batch) => WithDescriptor(batch, static (one, descriptor) => one.Send(descriptor));

    private int WithDescriptor(DatagramBatch batch, Func<DatagramBatch, int, int> call)
    {
        bool isLent = false;
        try
        {
            _socket.SafeHandle.DangerousAddRef(ref isLent);
            return call(batch, (int)_socket.SafeHandle.DangerousGetHandle());
        }
        catch (ObjectDisposedException)
        {
            return 0;
        }
        finally
        {
            if (isLent) _socket.SafeHandle.DangerousRelease();
        }
    }
}
