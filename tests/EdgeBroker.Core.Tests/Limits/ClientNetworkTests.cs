using System.Net;
using EdgeBroker.Core.Limits;

namespace EdgeBroker.Core.Tests.Limits;

public sealed class ClientNetworkTests
{
    [Theory]
    [InlineData("192.168.1.10", "192.168.1.10", true)]
    [InlineData("192.168.1.10", "192.168.1.11", false)]
    [InlineData("192.168.1.10", "::ffff:192.168.1.10", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("::1", "127.0.0.1", false)]
    [InlineData("127.0.0.1", "127.0.0.2", false)]
    public void One_is_an_IPv4_address_or_64_bits_of_IPv6(string one, string other, bool same) => Assert.Equal(same, Of(one) == Of(other));

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.255.3.4", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:127.0.0.1", true)]
    [InlineData("128.0.0.1", false)]
    [InlineData("::2", false)]
    [InlineData("2001:db8::1", false)]
    public void Loopback_is_known(string address, bool expected) => Assert.Equal(expected, Of(address).IsLoopback);

    [Fact]
    public void A_Unix_socket_has_no_network()
    {
        Assert.Equal(ClientNetwork.None, ClientNetwork.Of(null));
        Assert.False(ClientNetwork.None.IsLoopback);
    }

    private static ClientNetwork Of(string address) => ClientNetwork.Of(IPAddress.Parse(address));
}
