using System.Text;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Core.Tests.Rig;

/// <summary>A broker on a clock that moves when told, and clients without connections.</summary>
internal sealed class Bench
{
    public Bench(MqttOptions? options = null, IJournal? journal = null)
    {
        Broker = new Broker(
            options ?? new MqttOptions { SysInterval = TimeSpan.Zero }, new BrokerClock(Time), journal ?? VolatileJournal.Instance,
            new BrokerEvents(Events), "test");
        Context = Broker.CreateContext(new MessageBatch());
    }

    public FakeTimeProvider Time { get; } = new();

    public Recorder Events { get; } = new();

    public Broker Broker { get; }

    public RoutingContext Context { get; }

    /// <summary>A message; one that waits does so until <see cref="Deliver"/>.</summary>
    public PublishOutcome Publish(
        string topic, string payload, QoS qos = QoS.AtMostOnce, bool retain = false, uint? expirySeconds = null, Receiver? publisher = null,
        byte[]? properties = null, bool waits = false) =>
        Broker.Publish(
            new Publication
            {
                Topic = Encoding.UTF8.GetBytes(topic),
                Payload = Encoding.UTF8.GetBytes(payload),
                Properties = properties,
                QoS = qos,
                Retain = retain,
                ExpirySeconds = expirySeconds,
                Publisher = publisher,
            },
            Context,
            waits ? Context.Batch : null);

    /// <summary>Has delivered what waits.</summary>
    public void Deliver() => Broker.Deliver(Context.Batch, Context);

    public Client Connect(
        string clientId,
        bool cleanStart = false,
        uint expirySeconds = 0,
        int receiveMaximum = 65_535,
        Will? will = null,
        FakeLink? link = null,
        QueuePolicy? policy = null)
    {
        link ??= new FakeLink();
        var grant = new SessionGrant(expirySeconds, receiveMaximum, will) { QueuePolicy = policy };
        return new Client(this, link, Broker.Connect(clientId, cleanStart, grant, Context, link)!.Value);
    }

    /// <summary>Moves the clock and has done what that brings.</summary>
    public void Advance(double seconds)
    {
        Time.Advance(TimeSpan.FromSeconds(seconds));
        while (Broker.RunDue())
        {
        }
    }

    public static Will WillOf(string topic, string payload, uint delaySeconds = 0, QoS qos = QoS.AtMostOnce, bool retain = false, uint? expirySeconds = null) =>
        new(
            new Message { Topic = Encoding.UTF8.GetBytes(topic), Payload = Encoding.UTF8.GetBytes(payload), QoS = qos, Retain = retain }, delaySeconds,
            expirySeconds);
}
