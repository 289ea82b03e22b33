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
