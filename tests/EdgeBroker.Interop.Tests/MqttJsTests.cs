using EdgeBroker.Interop.Tests.Clients;

namespace EdgeBroker.Interop.Tests;

/// <summary>MQTT.js under Node.js.</summary>
public sealed class MqttJsTests(BrokerFixture broker) : ForeignClientTests(broker), IClassFixture<BrokerFixture>
{
    protected override Task<IForeignClient> CreateAsync() => Task.FromResult<IForeignClient>(new DriverClient(Installed.MqttJs(), groupsUserProperties: true));
}
