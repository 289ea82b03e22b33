using EdgeBroker.Interop.Tests.Clients;

namespace EdgeBroker.Interop.Tests;

/// <summary>Eclipse Paho's client for Python.</summary>
public sealed class PahoPythonTests(BrokerFixture broker) : ForeignClientTests(broker), IClassFixture<BrokerFixture>
{
    protected override Task<IForeignClient> CreateAsync() => Task.FromResult<IForeignClient>(new DriverClient(Installed.PahoPython()));
}
