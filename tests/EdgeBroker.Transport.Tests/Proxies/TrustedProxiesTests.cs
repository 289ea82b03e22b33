using System.Net;
using EdgeBroker.Transport.Proxies;

namespace EdgeBroker.Transport.Tests.Proxies;

/// <summary>Who is believed to be a proxy.</summary>
public sealed class TrustedProxiesTests
{
    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.255.0.9", true)]
    [InlineData("::ffff:127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("10.0.0.1", false)]
    [InlineData("::2", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    public void By_default_only_this_machine(string address, bool trusted) => Assert.Equal(trusted, TrustedProxies.Loopback.Trusts(IPAddress.Parse(address)));

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("::ffff:10.1.2.3", true)]
    [InlineData("11.1.2.3", false)]
    [InlineData("fd00::1", true)]
    [InlineData("127.0.0.1", false)]
    public void Others_take_its_place(string address, bool trusted) =>
        Assert.Equal(trusted, new TrustedProxies([IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("fd00::/8")]).Trusts(IPAddress.Parse(address)));

    [Fact]
    public void Who_can_open_the_file_of_a_Unix_socket_is_trusted() => Assert.True(new TrustedProxies([]).Trusts(null));

    [Fact]
    public void The_same_networks_are_the_same()
    {
        Assert.Equal(new TrustedProxies([IPNetwork.Parse("10.0.0.0/8")]), new TrustedProxies([IPNetwork.Parse("10.0.0.0/8")]));
        Assert.NotEqual(new TrustedProxies([IPNetwork.Parse("10.0.0.0/8")]), TrustedProxies.Loopback);
        Assert.Equal(new TrustedProxies([IPNetwork.Parse("10.0.0.0/8")]).GetHashCode(), new TrustedProxies([IPNetwork.Parse("10.0.0.0/8")]).GetHashCode());
    }
}
