using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Transport.Linux;
using SystemAddress = System.Net.SocketAddress;

namespace EdgeBroker.Coap.Listeners;

/// <summary>
/// A UDP socket that takes and sends what is there together: the first datagram as it comes, all that wait behind it with one call, and the answers with
/// another.
/// </summary>
internal sealed class UdpPort : IDisposable
{
    // The largest datagram there is.
    private const int MaxDatagramBytes = 65_535;

    // Longer ones go one by one.
    private const int MaxBatchedBytes = 2_048;

    private readonly Socket _socket;
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
            _socket.Blocking = false;
            _socket.Bind(address);
            Address = (IPEndPoint)_socket.LocalEndPoint!;
        }
        catch (SocketException exception)
        {
            _socket.Dispose();
            throw new IOException($"cannot listen on {address}: {exception.Message}", exception);
        }
    }

    /// <summary>Where it is, with the port the system chose.</summary>
    public IPEndPoint Address { get; }

    /// <summary>Takes datagrams until it is disposed of.</summary>
    /// <param name="take">Takes one: where it came from, its bytes, which may be changed until it returns, and their number.</param>
    /// <param name="begin">Is told before several that came together.</param>
    /// <param name="end">Is told behind them.</param>
    public async Task ReceiveAsync(Action<PeerEndPoint, byte[], int> take, Action begin, Action end)
    {
        byte[] buffer = GC.AllocateUninitializedArray<byte>(MaxDatagramBytes);
        var from = new SystemAddress(_socket.AddressFamily);
        using DatagramBatch? batch = DatagramBatch.IsSupported ? new DatagramBatch(MaxDatagramBytes) : null;
        while (true)
        {
            try
            {
                int length = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, from).ConfigureAwait(false);
                begin();
                try
                {
                    take(ToPeer(from.Buffer.Span[..from.Size]), buffer, length);
                    if (batch is not null) TakeRest(batch, buffer, take);
                }
                finally
                {
                    end();
                }
            }
            catch (SocketException exception) when (exception.SocketErrorCode is not (SocketError.OperationAborted or SocketError.Interrupted))
            {
                // A peer's port is closed (ICMP), or memory is short: of no concern to the others.
                if (_socket.SafeHandle.IsClosed) return;
            }
            catch (Exception exception) when (exception is ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    /// <summary>Sends datagrams; any thread.</summary>
    /// <returns>How many the system has not taken.</returns>
    public int Send(List<(PeerEndPoint To, byte[] Datagram)> datagrams)
    {
        int unsent = 0;
        if (datagrams.Count > 1 && DatagramBatch.IsSupported)
        {
            unsent += SendTogether(datagrams);
        }
        else
        {
            foreach ((PeerEndPoint to, byte[] datagram) in datagrams) unsent += SendOne(to, datagram);
        }

        return unsent;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
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

    // Its descriptor is lent for the call: who disposes of the socket meanwhile closes it behind that.
    private void TakeRest(DatagramBatch batch, byte[] buffer, Action<PeerEndPoint, byte[], int> take)
    {
        int count = WithDescriptor(batch, static (one, descriptor) => one.Receive(descriptor));
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> datagram = batch.Datagram(i);
            datagram.CopyTo(buffer);
            take(ToPeer(batch.Address(i)), buffer, datagram.Length);
        }
    }

    private int SendTogether(List<(PeerEndPoint To, byte[] Datagram)> datagrams)
    {
        int unsent = 0;
        Span<byte> address = stackalloc byte[DatagramBatch.MaxAddressLength];
        lock (_sending.Alone())
        {
            if (_socket.SafeHandle.IsClosed) return datagrams.Count;
            DatagramBatch batch = _out ??= new DatagramBatch(MaxBatchedBytes);
            foreach ((PeerEndPoint to, byte[] datagram) in datagrams)
            {
                int length = Write(to, address);
                if (batch.TryAdd(address[..length], datagram)) continue;
                unsent += WithDescriptor(batch, static (one, descriptor) => one.Send(descriptor));
                if (!batch.TryAdd(address[..length], datagram)) unsent += SendOne(to, datagram);
            }

            if (batch.Count > 0) unsent += WithDescriptor(batch, static (one, descriptor) => one.Send(descriptor));
        }

        return unsent;
    }

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

    private int SendOne(in PeerEndPoint to, byte[] datagram)
    {
        try
        {
            _socket.SendTo(datagram, SocketFlags.None, new IPEndPoint(to.ToAddress(), to.Port).Serialize());
            return 0;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return 1;
        }
    }
}
