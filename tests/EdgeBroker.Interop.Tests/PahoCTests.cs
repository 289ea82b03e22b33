using EdgeBroker.Interop.Tests.Clients;

namespace EdgeBroker.Interop.Tests;

/// <summary>Eclipse Paho's asynchronous client for C.</summary>
public sealed class PahoCTests(BrokerFixture broker) : ForeignClientTests(broker), IClassFixture<BrokerFixture>
{
    protected override async Task<IForeignClient> CreateAsync() => new DriverClient(await Installed.PahoCAsync());
}
