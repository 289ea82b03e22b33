using EdgeBroker.Interop.Tests.Clients;

namespace EdgeBroker.Interop.Tests;

/// <summary>MQTTnet, in this process.</summary>
public sealed class MqttNetTests(BrokerFixture broker) : ForeignClientTests(broker), IClassFixture<BrokerFixture>
{
    protected override Task<IForeignClient> CreateAsync() => Task.FromResult<IForeignClient>(new MqttNetClient());
}
