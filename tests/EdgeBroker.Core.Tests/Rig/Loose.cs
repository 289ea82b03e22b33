using System.Text;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Core.Tests.Rig;

/// <summary>Sessions and subscriptions that belong to no broker.</summary>
internal static class Loose
{
    public static Session Session(string clientId) =>
        new(clientId, new SessionEnvironment(new MqttOptions(), new BrokerClock(new FakeTimeProvider()), VolatileJournal.Instance, new MemoryLedger(),
            new BrokerEvents()));

    public static Subscription Subscribe(Session session, string filter, SubscriptionOptions options = default, uint identifier = 0) =>
        new(session, Encoding.UTF8.GetBytes(filter), options, identifier);
}
