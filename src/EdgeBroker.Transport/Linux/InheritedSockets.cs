using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace EdgeBroker.Transport.Linux;

/// <summary>
/// Sockets that a service manager opened before it started this process (sd_listen_fds): a listener at the address of one takes that instead of an own. They
/// stay open as long as the process, whatever listeners come and go, so each listener gets a duplicate. Any thread.
/// </summary>
public sealed unsafe class InheritedSockets
{
    private const int FirstDescriptor = 3;
    private const int MostDescriptors = 1_024;
    private const int Duplicate = 0; // F_DUPFD
    private const int SetDescriptorFlags = 2; // F_SETFD
    private const int GetStatusFlags = 3; // F_GETFL
    private const int SetStatusFlags = 4; // F_SETFL
    private const int AcceptsConnections = 30; // SO_ACCEPTCONN
    private const int AddressBytes = 128;

    private readonly Inherited[] _sockets;

    /// <summary>Reads what the environment says.</summary>
    /// <param name="variable">A variable of the environment; null: there is none.</param>
    /// <param name="processId">For which process it has to be.</param>
    /// <param name="first">The first descriptor.</param>
    internal InheritedSockets(Func<string, string?> variable, int processId, int first = FirstDescriptor)
    {
        // A child's environment may hold what was meant for its parent.
        bool isMeant = int.TryParse(variable("LISTEN_PID"), NumberStyles.None, CultureInfo.InvariantCulture, out int forWhom) && forWhom == processId;
        bool isNumber = int.TryParse(variable("LISTEN_FDS"), NumberStyles.None, CultureInfo.InvariantCulture, out int count);
        if (!isMeant || !isNumber || count > MostDescriptors) count = 0;
        string[] names = (variable("LISTEN_FDNAMES") ?? "").Split(':');
        _sockets = [.. Enumerable.Range(0, count).Select(i => Take(first + i, i < names.Length ? names[i] : ""))];
    }

    /// <summary>Those of this process.</summary>
    public static InheritedSockets OfProcess { get; } = new(Environment.GetEnvironmentVariable, Environment.ProcessId);

    /// <summary>Those that no listener has taken yet, as <c>name (address)</c>: who connects there waits for ever.</summary>
    public IEnumerable<string> Unused => _sockets.Where(one => !Volatile.Read(ref one.IsUsed)).Select(one => $"{one.Name} ({one.Text})");

    /// <summary>Whether one of them has an address.</summary>
    public bool Has(SocketAddress address) => Find(address) is not null;

    /// <summary>Gives a duplicate of the one at an address, which listens.</summary>
    /// <param name="address">The address.</param>
    /// <param name="descriptor">The duplicate, not blocking; the caller closes it.</param>
    /// <exception cref="ListenException">There are no descriptors left.</exception>
    public bool TryOpen(SocketAddress address, out int descriptor)
    {
        descriptor = -1;
        if (Find(address) is not { } found) return false;
        // Without the flag to close it on exec: by that the runtime's sockets know that theirs may be shared, and do not shut it down for everybody when they
        // close it.
        descriptor = LinuxSockets.FileControl(found.Descriptor, Duplicate, FirstDescriptor);
        if (descriptor < 0) throw ListenFailure.Of(address, Marshal.GetLastPInvokeError());
        Volatile.Write(ref found.IsUsed, true);
        return true;
    }

    private Inherited? Find(SocketAddress address) =>
        Array.Find(_sockets, one => one.Listens && (address.UnixPath is { } path ? one.UnixPath == path : one.IsAt(address.Bytes)));

    private static Inherited Take(int descriptor, string name)
    {
        int listens = 0;
        int size = sizeof(int);
        bool isSocket = LinuxSockets.GetSocketOption(descriptor, LinuxSockets.SolSocket, AcceptsConnections, &listens, &size) == 0;
        // Others are left as they are: of more than were handed over some are this process's own.
        if (listens != 0)
        {
            _ = LinuxSockets.FileControl(descriptor, SetDescriptorFlags, 1);
            int flags = LinuxSockets.FileControl(descriptor, GetStatusFlags, 0);
            if (flags >= 0) _ = LinuxSockets.FileControl(descriptor, SetStatusFlags, flags | LinuxSockets.NonBlocking);
        }

        byte* address = stackalloc byte[AddressBytes];
        int length = AddressBytes;
        if (!isSocket || LinuxSockets.GetSocketName(descriptor, address, &length) != 0) length = 0;
        return new Inherited(descriptor, name, new ReadOnlySpan<byte>(address, Math.Min(length, AddressBytes)).ToArray(), listens != 0);
    }

    /// <summary>One of them.</summary>
    private sealed class Inherited(int descriptor, string name, byte[] address, bool listens)
    {
        public bool IsUsed;

        public int Descriptor => descriptor;

        public string Name => name;

        /// <summary>Whether it accepts; one that does not is no stream, or a connection.</summary>
        public bool Listens => listens;

        public string? UnixPath { get; } =
            address is [LinuxSockets.AddressFamilyUnix, 0, not 0, ..] ? Encoding.UTF8.GetString(address.AsSpan(2)).TrimEnd('\0') : null;

        public string Text => address.Length == 0 ? "no socket" : !listens ? "does not listen" : UnixPath ?? new PeerAddress(address).ToString();

        public bool IsAt(ReadOnlySpan<byte> other)
        {
            if (address.Length != other.Length || address.Length < 16 || address[0] != other[0]) return false;
            // Port and address; of IPv6 the scope, too, but not what the kernel keeps in between.
            return address[0] == LinuxSockets.AddressFamilyInet
                ? other[2..8].SequenceEqual(address.AsSpan(2, 6))
                : other[2..4].SequenceEqual(address.AsSpan(2, 2)) && other[8..].SequenceEqual(address.AsSpan(8));
        }
    }
}
