using System.Net;
using System.Net.Sockets;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Listeners;
using EdgeBroker.Coap.Tests.Codec;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Coap.Tests.Listeners;

/// <summary>Over real sockets and the system clock.</summary>
public sealed class ListenerTests : IAsyncDisposable
{
    private readonly Broker _broker = new(
        TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(), "test");

    private readonly CoapListenerFamily _family;

    public ListenerTests() => _family = new CoapListenerFamily(_broker, new AnonymousAuthenticator(), TimeProvider.System, NullLoggerFactory.Instance);

    public ValueTask DisposeAsync() => _family.DisposeAsync();

    [Theory]
    [InlineData("127.0.0.1:0")]
    [InlineData("[::1]:0")]
    public async Task A_datagram_is_answered_from_where_it_was_sent_to(string address)
    {
        IListener listener = await OpenAsync(address);
        using UdpClient client = Connect(listener);
        Assert.Equal(CoapCode.Created, (await AskAsync(client, "43 03 00 01 010203 b2 7073 01 61 ff 31")).Code);
        Answer read = await AskAsync(client, "43 01 00 02 010203 b2 7073 01 61");
        Assert.Equal((CoapCode.Content, "1"), (read.Code, read.Text));
    }

    [Fact]
    public async Task A_response_that_waits_and_one_that_is_sent_again_need_no_datagram_to_bring_them()
    {
        IListener listener = await OpenAsync("127.0.0.1:0");
        using UdpClient client = Connect(listener);
        await AskAsync(client, "43 01 00 01 010203 60 52 7073 01 61");
        await AskAsync(client, "43 02 00 02 010204 b2 7073 01 61 ff 31");
        Answer told = await ReceiveAsync(client);
        Answer again = await ReceiveAsync(client);
        Assert.Equal((CoapType.Confirmable, "1", told.MessageId), (again.Type, again.Text, again.MessageId));
    }

    [Fact]
    public async Task An_address_that_is_taken_is_said_so()
    {
        IListener listener = await OpenAsync("127.0.0.1:0");
        IOException exception = await Assert.ThrowsAsync<IOException>(() => OpenAsync(listener.EndPoint));
        Assert.StartsWith($"cannot listen on {listener.EndPoint}: ", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_listener_gives_its_address_free_and_takes_it_again()
    {
        IListener listener = await OpenAsync("127.0.0.1:0");
        await listener.SuspendAsync();
        using (var other = new UdpClient(IPEndPoint.Parse(listener.EndPoint)))
        {
            await Assert.ThrowsAsync<IOException>(listener.ResumeAsync);
        }

        await listener.ResumeAsync();
        using UdpClient client = Connect(listener);
        Assert.Equal(CoapCode.NotFound, (await AskAsync(client, "43 01 00 02 010203 b2 7073 01 61")).Code);
    }

    [Fact]
    public async Task A_listener_that_is_removed_is_gone()
    {
        IListener listener = await OpenAsync("127.0.0.1:0");
        Assert.Equal([listener], _family.Listeners);
        await listener.RemoveAsync();
        Assert.Empty(_family.Listeners);
        using var other = new UdpClient(IPEndPoint.Parse(listener.EndPoint));
    }

    [Fact]
    public async Task A_listener_goes_on_after_datagrams_that_are_none()
    {
        IListener listener = await OpenAsync("127.0.0.1:0");
        using (UdpClient gone = Connect(listener))
        {
            // Its port is closed when the answer comes.
            await gone.SendAsync(Hex.Bytes("40 01 00 01 b2 7073 01 61"));
        }

        using UdpClient client = Connect(listener);
        foreach (byte[] bytes in new byte[][] { [], [0], new byte[60_000], Hex.Bytes("4f 01 00 01") }) await client.SendAsync(bytes);
        Assert.Equal(CoapType.Reset, (await ReceiveAsync(client)).Type);
        Assert.Equal(CoapCode.NotFound, (await AskAsync(client, "43 01 00 02 010203 b2 7073 01 61")).Code);
    }

    [Fact]
    public async Task Observers_whose_ports_are_closed_cost_the_others_nothing()
    {
        var listener = (CoapListener)await OpenAsync("127.0.0.1:0");
        const string observe = "43 01 00 01 010203 60 52 7073 01 61";
        for (int i = 0; i < 5; i++)
        {
            using UdpClient gone = Connect(listener);
            await AskAsync(gone, observe);
        }

        using UdpClient client = Connect(listener);
        await AskAsync(client, observe);
        await AskAsync(client, "43 02 00 02 010204 b2 7073 01 61 ff 31");
        // The kernel hears of each closed port (ICMP) before the message goes out again.
        Answer told = await ReceiveAsync(client);
        Answer again = await ReceiveAsync(client);
        Assert.Equal(("1", told.MessageId), (again.Text, again.MessageId));
        Assert.Equal(CoapCode.Changed, (await AskAsync(client, "43 02 00 03 010205 b2 7073 01 62 ff 31")).Code);
        Assert.Equal(0, Interlocked.Read(ref listener.Unsent));
    }

    [Fact]
    public async Task What_is_sent_to_a_group_that_others_have_joined_is_not_answered()
    {
        IListener listener = await OpenAsync("0.0.0.0:0");
        var group = IPAddress.Parse("224.0.1.187");
        using var member = new UdpClient(new IPEndPoint(IPAddress.Any, 0));
        member.JoinMulticastGroup(group, IPAddress.Loopback);
        using var client = new UdpClient(new IPEndPoint(IPAddress.Any, 0));
        client.Client.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, IPAddress.Loopback.GetAddressBytes());
        int port = IPEndPoint.Parse(listener.EndPoint).Port;
        byte[] discovery = Hex.Bytes("51 01 00 01 07 bb 2e77656c6c2d6b6e6f776e 04 636f7265");
        await client.SendAsync(discovery, new IPEndPoint(group, port));
        // Groups reach this machine at all.
        await client.SendAsync(discovery, new IPEndPoint(group, ((IPEndPoint)member.Client.LocalEndPoint!).Port));
        Assert.Equal(discovery, (await Deadline.Within(member.ReceiveAsync(), "a datagram for the group")).Buffer);
        // What is answered is answered in order, so this would be the second answer.
        await client.SendAsync(Hex.Bytes("51 01 00 02 08 bb 2e77656c6c2d6b6e6f776e 04 636f7265"), new IPEndPoint(IPAddress.Loopback, port));
        Answer answer = await ReceiveAsync(client);
        Assert.Equal((CoapCode.Content, "08"), (answer.Code, Convert.ToHexString(answer.Token)));
    }

    private static UdpClient Connect(IListener listener)
    {
        IPEndPoint server = IPEndPoint.Parse(listener.EndPoint);
        var client = new UdpClient(server.AddressFamily);
        client.Connect(server);
        return client;
    }

    private static async Task<Answer> AskAsync(UdpClient client, string hex)
    {
        await client.SendAsync(Hex.Bytes(hex));
        return await ReceiveAsync(client);
    }

    private static async Task<Answer> ReceiveAsync(UdpClient client)
    {
        UdpReceiveResult received = await Deadline.Within(client.ReceiveAsync(), "a datagram");
        (_, NaiveMessage? message) = NaiveMessage.Read(received.Buffer);
        return new Answer(message!, received.Buffer.Length);
    }

    private async Task<IListener> OpenAsync(string address)
    {
        IListener listener = await _family.OpenAsync(new ListenerSettings { Protocol = ListenerProtocol.Coap, Address = address, AllowAnonymous = true });
        await listener.BeginAsync();
        return listener;
    }
}
