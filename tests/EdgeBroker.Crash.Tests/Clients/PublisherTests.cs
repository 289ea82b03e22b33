using System.Net;
using System.Net.Sockets;
using EdgeBroker.Crash.Tests.History;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Crash.Tests.Clients;

/// <summary>The publisher keeps the order that its brokers are judged by.</summary>
public sealed class PublisherTests
{
    /// <summary>Who asks for a message between the number of another one and its sending gets none that overtakes it.</summary>
    [Fact]
    public async Task Messages_go_in_the_order_of_their_numbers_whoever_asks_for_them()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = new BrokerAddress();
        address.Set(((IPEndPoint)listener.LocalEndpoint).Port);
        var history = new RunHistory(["publisher"], () => 0);
        var plan = new PublisherPlan([new PlannedTopic("t", 1)], LargestBytes: 10, LongestPause: TimeSpan.FromMilliseconds(1));
        var publisher = new Publisher(new ClientIdentity(0, "publisher", ProtocolVersion.V311), plan, history, new Random(1));
        using var stop = new CancellationTokenSource();
        var came = new List<int>();
        bool isAsked = false;
        Task<bool>? asked = null;
        publisher.BeforeSending = () =>
        {
            if (isAsked) return;
            isAsked = true;
            asked = publisher.PublishToEachTopicAsync(1);
        };
        Task running = Task.Run(() => publisher.RunAsync(address, stop.Token));
        using Socket server = await Deadline.Within(listener.AcceptSocketAsync(), "the connection");
        Task serving = Task.Run(() => ServeAsync(server, came));
        await Deadline.Until(() => history.CountOf(EventKind.Acknowledged) > 1, "messages");
        Assert.True(await Deadline.Within(asked!, "the message that was asked for"));
        publisher.Drain();
        await Deadline.Until(() => publisher.IsSettled, "the publisher to finish");
        await stop.CancelAsync();
        publisher.CutConnection();
        await Deadline.Within(Task.WhenAll(running, serving), "the publisher to end");
        Assert.Equal(Enumerable.Range(1, came.Count), came);
    }

    private static async Task ServeAsync(Socket server, List<int> came)
    {
        var packets = new PacketBuffer();
        try
        {
            while (await server.ReceiveAsync(packets.Room(), SocketFlags.None) is > 0 and int bytes)
            {
                packets.Add(bytes);
                while (packets.TryCut(out byte[] bytesOfOne))
                {
                    ReceivedPacket packet = ReceivedPacket.Read(bytesOfOne, ProtocolVersion.V311);
                    if (packet.Type == PacketType.Connect) await server.SendAsync(new byte[] { 0x20, 2, 0, 0 });
                    if (packet.Type != PacketType.Publish) continue;
                    Assert.True(SentMessage.TryReadName(packet.Payload, out _, out int number));
                    came.Add(number);
                    await server.SendAsync(Packets.Of(ProtocolVersion.V311).Puback(packet.PacketId));
                }
            }
        }
        catch (SocketException)
        {
            // The publisher has cut it.
        }
    }
}
