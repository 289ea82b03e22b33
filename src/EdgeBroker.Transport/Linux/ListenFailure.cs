using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace EdgeBroker.Transport.Linux;

/// <summary>What <c>bind</c> and <c>listen</c> refuse, as sentences for a technician: one place for the listeners of all families.</summary>
public static class ListenFailure
{
    private const int NotPermitted = 1;
    private const int NoEntry = 2;
    private const int AccessDenied = 13;
    private const int NotADirectory = 20;
    private const int ReadOnlyFileSystem = 30;
    private const int FamilyNotSupported = 97;
    private const int AddressInUse = 98;
    private const int AddressNotAvailable = 99;

    private const int FirstFreePort = 1024;

    /// <summary>The error for an address.</summary>
    /// <param name="address">The address.</param>
    /// <param name="error">The system's error number.</param>
    /// <param name="inner">Where it was noticed; null: a system call.</param>
    public static ListenException Of(SocketAddress address, int error, Exception? inner = null) => new(
        $"cannot listen on {address.Text}: {(address.UnixPath is { } path ? OfUnix(path, error) : OfPort(address, error))}",
        error == AddressNotAvailable,
        inner);

    /// <summary>The same for what the runtime's sockets throw.</summary>
    public static ListenException Of(SocketAddress address, Exception failure) =>
        Of(address, (failure as SocketException ?? failure.InnerException as SocketException)?.NativeErrorCode ?? 0, failure);

    /// <summary>A host name that is not known, or not known yet.</summary>
    public static ListenException UnknownHost(string text, string host, Exception? inner = null) => new(
        $"cannot listen on {text}: the host name \"{host}\" is not known on this machine; write the address itself, or put the name into /etc/hosts",
        isAddressMissing: true,
        inner);

    private static string OfPort(SocketAddress address, int error) => error switch
    {
        AddressInUse => $"the port is in use by {PortOwner.OfPort(address.Port)}; stop that program, or give this listener another port",
        AddressNotAvailable =>
            $"this machine has no such address now (\"ip address\" lists those it has); check cable and network settings, or correct the address",
        AccessDenied or NotPermitted when address.Port < FirstFreePort =>
            $"ports below {FirstFreePort} take a permission that the broker's user does not have; use a port from {FirstFreePort} on, "
                + "or give it the permission: "
                + "AmbientCapabilities=CAP_NET_BIND_SERVICE in its unit",
        FamilyNotSupported => "IPv6 is switched off on this machine; use an IPv4 address",
        _ => Marshal.GetPInvokeErrorMessage(error),
    };

    private static string OfUnix(string path, int error)
    {
        string folder = Path.GetDirectoryName(path) ?? "/";
        return error switch
        {
            AddressInUse when PortOwner.OfPath(path) is { } owner => $"{owner} listens there; stop that program, or choose another path",
            AddressInUse => "a file of that name is there and is no socket; remove it, or choose another path",
            NoEntry or NotADirectory =>
                $"the folder {folder} does not exist; make it, or choose one that does (the systemd unit makes /run/edgebroker: RuntimeDirectory=)",
            AccessDenied or NotPermitted => $"the broker's user may not write to the folder {folder}; give it the folder, or choose another",
            ReadOnlyFileSystem => $"the folder {folder} is read-only for the broker; the systemd unit lets it write to /run/edgebroker",
            _ => Marshal.GetPInvokeErrorMessage(error),
        };
    }
}
