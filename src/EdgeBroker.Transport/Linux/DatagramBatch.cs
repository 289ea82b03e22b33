using System.Runtime.InteropServices;

namespace EdgeBroker.Transport.Linux;

/// <summary>
/// Takes or sends several datagrams of a UDP socket with one system call (recvmmsg, sendmmsg): for small datagrams the calls are most of the work. One thread
/// at a time. Its memory is the system's, and resident only as far as it was used.
/// </summary>
public sealed unsafe partial class DatagramBatch : IDisposable
{
    /// <summary>Datagrams of one call at most.</summary>
    public const int MaxDatagrams = 32;

    /// <summary>The longest address: of IPv6, as <c>struct sockaddr_in6</c>.</summary>
    public const int MaxAddressLength = 28;

    private const int DontWait = 0x40;
    private const int WaitForOne = 0x10000;
    private const int ErrorNoSystemCall = 38;

    private readonly int _slotBytes;
    private readonly byte* _bytes;
    private readonly byte* _addresses;
    private readonly LinuxSockets.IoVector* _vectors;
    private readonly MultiHeader* _headers;
    private bool _isDisposed;

    /// <param name="slotBytes">The longest datagram.</param>
    public DatagramBatch(int slotBytes)
    {
        _slotBytes = slotBytes;
        _bytes = (byte*)NativeMemory.Alloc((nuint)MaxDatagrams, (nuint)slotBytes);
        _addresses = (byte*)NativeMemory.AllocZeroed((nuint)MaxDatagrams, MaxAddressLength);
        _vectors = (LinuxSockets.IoVector*)NativeMemory.AllocZeroed((nuint)MaxDatagrams, (nuint)sizeof(LinuxSockets.IoVector));
        _headers = (MultiHeader*)NativeMemory.AllocZeroed((nuint)MaxDatagrams, (nuint)sizeof(MultiHeader));
        for (int i = 0; i < MaxDatagrams; i++)
        {
            _vectors[i].Base = _bytes + ((nint)i * slotBytes);
            _headers[i].Header.Name = _addresses + (i * MaxAddressLength);
            _headers[i].Header.Vectors = _vectors + i;
            _headers[i].Header.VectorCount = 1;
        }
    }

    /// <summary>Datagrams to be sent with the next call.</summary>
    public int Count { get; private set; }

    /// <summary>Waits for a datagram, and takes what is there then. Where the socket does not block it does not wait.</summary>
    /// <param name="socket">The socket's descriptor. Who shuts it down ends the waiting.</param>
    /// <returns>How many datagrams; 0: none is there, or the system does not say why.</returns>
    public int Receive(int socket)
    {
        for (int i = 0; i < MaxDatagrams; i++)
        {
            _vectors[i].Length = _slotBytes;
            _headers[i].Header.NameLength = MaxAddressLength;
        }

        return Math.Max(0, ReceiveMany(socket, _headers, MaxDatagrams, WaitForOne, null));
    }

    /// <summary>A datagram that was taken.</summary>
    public ReadOnlySpan<byte> Datagram(int index) => new(_bytes + ((nint)index * _slotBytes), (int)_headers[index].Length);

    /// <summary>Where it came from, as the system writes it.</summary>
    public ReadOnlySpan<byte> Address(int index) => new(_addresses + (index * MaxAddressLength), (int)_headers[index].Header.NameLength);

    /// <summary>Adds a datagram to be sent; false: there is no room for it, <see cref="Send"/> what there is, or send it otherwise.</summary>
    /// <param name="address">Where to, as the system writes it; empty: where the socket is connected to.</param>
    /// <param name="datagram">The datagram; copied.</param>
    public bool TryAdd(ReadOnlySpan<byte> address, ReadOnlySpan<byte> datagram)
    {
        if (Count == MaxDatagrams || datagram.Length > _slotBytes) return false;
        datagram.CopyTo(new Span<byte>(_bytes + ((nint)Count * _slotBytes), _slotBytes));
        address.CopyTo(new Span<byte>(_addresses + (Count * MaxAddressLength), MaxAddressLength));
        _headers[Count].Header.NameLength = (uint)address.Length;
        _vectors[Count].Length = datagram.Length;
        Count++;
        return true;
    }

    /// <summary>Sends what was added, without waiting. What the system does not take is lost, as on the way.</summary>
    /// <returns>How many were not taken.</returns>
    public int Send(int socket)
    {
        int unsent = 0;
        int next = 0;
        while (next < Count)
        {
            int sent = SendMany(socket, _headers + next, (uint)(Count - next), DontWait | LinuxSockets.NoSignal);
            if (sent > 0)
            {
                next += sent;
                continue;
            }

            int error = Marshal.GetLastPInvokeError();
            if (error == LinuxSockets.ErrorInterrupted) continue;
            // The one it stopped at is not taken; of a full socket none of the others would be either.
            unsent++;
            next++;
            if (error is not (LinuxSockets.ErrorAgain or LinuxSockets.ErrorNoBuffers or ErrorNoSystemCall)) continue;
            unsent += Count - next;
            break;
        }

        Count = 0;
        return unsent;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        NativeMemory.Free(_headers);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_addresses);
        NativeMemory.Free(_bytes);
    }

    [LibraryImport("libc", EntryPoint = "recvmmsg", SetLastError = true)]
    private static partial int ReceiveMany(int fd, MultiHeader* messages, uint count, int flags, void* timeout);

    [LibraryImport("libc", EntryPoint = "sendmmsg", SetLastError = true)]
    private static partial int SendMany(int fd, MultiHeader* messages, uint count, int flags);

    /// <summary><c>struct mmsghdr</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct MultiHeader
    {
        public LinuxSockets.MessageHeader Header;
        public uint Length;
    }
}
