using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace EdgeBroker.Hosting;

/// <summary>Tells systemd how the broker is doing (sd_notify): what it is at while it starts, and when it is ready. Does nothing where nobody asked.</summary>
internal sealed class ServiceStatus
{
    // Until the next progress should be told of; a disk may stall in between.
    private static readonly TimeSpan Extension = TimeSpan.FromMinutes(1);

    private readonly string? _address;
    private readonly bool _isWatched;

    /// <param name="address">The value of NOTIFY_SOCKET: a path, or an abstract name behind "@"; null: nobody asked.</param>
    /// <param name="watchdog">The value of WATCHDOG_USEC: within which time it has to say that it is well; null: it has not.</param>
    public ServiceStatus(string? address, string? watchdog = null)
    {
        _isWatched = long.TryParse(watchdog, NumberStyles.None, CultureInfo.InvariantCulture, out long microseconds) && microseconds > 0;
        _address = string.IsNullOrEmpty(address) ? null : address[0] == '@' ? '\0' + address[1..] : address;
    }

    /// <summary>Whether anybody wants to know.</summary>
    public bool IsAsked => _address is not null;

    /// <summary>One line of what it is at, shown by <c>systemctl status</c>.</summary>
    public void Say(string status) => Send("STATUS=" + status);

    /// <summary>How far the start is, which takes its time: as long as this is heard now and then, a service manager waits on.</summary>
    public void Progress(string status) =>
        Send(string.Create(CultureInfo.InvariantCulture, $"STATUS={status}\nEXTEND_TIMEOUT_USEC={(long)Extension.TotalMicroseconds}"));

    /// <summary>It serves.</summary>
    public void Ready(string status) => Send("READY=1\nSTATUS=" + status);

    /// <summary>It reads its configuration again, until <see cref="Ready"/>.</summary>
    /// <param name="time">Its timestamp is that of the system's monotonic clock, by which a service manager tells this from an earlier reload.</param>
    public void Reloading(TimeProvider time)
    {
        long microseconds = (long)((Int128)time.GetTimestamp() * 1_000_000 / time.TimestampFrequency);
        Send(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={microseconds}\nSTATUS=reading the configuration again"));
    }

    /// <summary>It is well; for a service manager that ends what does not say so in time (<c>WatchdogSec</c>).</summary>
    public void KeepAlive()
    {
        if (_isWatched) Send("WATCHDOG=1");
    }

    /// <summary>It ends.</summary>
    public void Stopping() => Send("STOPPING=1");

    private void Send(string message)
    {
        if (_address is null) return;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.UTF8.GetBytes(message), new UnixDomainSocketEndPoint(_address));
        }
        catch (SocketException)
        {
            // A service manager that does not listen is no reason not to serve.
        }
    }
}
