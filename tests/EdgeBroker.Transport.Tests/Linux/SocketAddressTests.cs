using EdgeBroker.Transport.Linux;

namespace EdgeBroker.Transport.Tests.Linux;

public sealed class SocketAddressTests
{
    [Theory]
    [InlineData("127.0.0.1:1883", "02 00 07 5B 7F 00 00 01 00 00 00 00 00 00 00 00")]
    [InlineData("0.0.0.0:0", "02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00")]
    [InlineData("localhost:1883", "02 00 07 5B 7F 00 00 01 00 00 00 00 00 00 00 00")]
    [InlineData("[::1]:65535", "0A 00 FF FF 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00")]
    [InlineData("unix:/a", "01 00 2F 61 00")]
    public void Is_what_the_kernel_wants(string text, string bytes) =>
        Assert.Equal(bytes, string.Join(' ', SocketAddress.Parse(text).Bytes.ToArray().Select(one => one.ToString("X2", null))));

    [Theory]
    [InlineData("")]
    [InlineData("1883")]
    [InlineData(":1883")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:")]
    [InlineData("127.0.0.1:65536")]
    [InlineData("127.0.0.1:-1")]
    [InlineData("127.0.0.1:mqtt")]
    [InlineData("unix:")]
    public void Anything_else_is_refused(string text) => Assert.Throws<FormatException>(() => SocketAddress.Parse(text));

    [Fact]
    public void A_name_that_is_not_known_may_be_known_later() =>
        Assert.True(Assert.Throws<ListenException>(() => SocketAddress.Parse("no.such.host.invalid:1883")).IsAddressMissing);

    [Fact]
    public void A_path_too_long_for_a_socket_is_refused() => Assert.Throws<FormatException>(() => SocketAddress.Parse("unix:/" + new string('x', 107)));

    [Theory]
    [InlineData("02 00 07 5B 7F 00 00 01", "127.0.0.1:1883")]
    [InlineData("0A 00 07 5B 00 00 00 00 20 01 0D B8 00 00 00 00 00 00 00 00 00 00 00 01", "[2001:db8::1]:1883")]
    [InlineData("01 00", "unix socket")]
    [InlineData("07 00", "unknown")]
    [InlineData("", "unknown")]
    public void A_peer_is_named_as_people_write_it(string bytes, string name) =>
        Assert.Equal(name, new PeerAddress(Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal))).ToString());
}
