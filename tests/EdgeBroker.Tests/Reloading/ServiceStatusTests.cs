using System.Net.Sockets;
using System.Text;
using EdgeBroker.Hosting;
using EdgeBroker.Testing;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Tests.Reloading;

/// <summary>What a service manager is told.</summary>
public sealed class ServiceStatusTests
{
    [Fact]
    public void A_reload_is_announced_with_the_monotonic_time_and_ended_by_ready()
    {
        using var directory = new TemporaryDirectory();
        using Socket manager = Listen(directory, out string path);
        var status = new ServiceStatus(path);
        var time = new FakeTimeProvider();
        long before = time.GetTimestamp();
        time.Advance(TimeSpan.FromMilliseconds(1234.567));
        status.Reloading(time);
        status.Ready("listening");
        string[] reloading = Receive(manager).Split('\n');
        Assert.Equal("RELOADING=1", reloading[0]);
        long expected = (before / (time.TimestampFrequency / 1_000_000)) + 1_234_567;
        Assert.Equal($"MONOTONIC_USEC={expected}", reloading[1]);
        Assert.Equal("READY=1\nSTATUS=listening", Receive(manager));
    }

    [Fact]
    public void Who_tells_how_far_its_start_is_is_waited_for()
    {
        using var directory = new TemporaryDirectory();
        using Socket manager = Listen(directory, out string path);
        new ServiceStatus(path).Progress("restoring: 7 sessions");
        Assert.Equal("STATUS=restoring: 7 sessions\nEXTEND_TIMEOUT_USEC=60000000", Receive(manager));
    }

    private static Socket Listen(TemporaryDirectory directory, out string path)
    {
        path = Path.Combine(directory.Path, "notify");
        var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified)
        {
            ReceiveTimeout = (int)EdgeBroker.Testing.Deadline.Timeout.TotalMilliseconds,
        };
        manager.Bind(new UnixDomainSocketEndPoint(path));
        return manager;
    }

    private static string Receive(Socket socket)
    {
        byte[] bytes = new byte[1024];
        return Encoding.UTF8.GetString(bytes, 0, socket.Receive(bytes));
    }
}
