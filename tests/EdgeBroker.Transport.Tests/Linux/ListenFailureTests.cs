using EdgeBroker.Transport.Linux;

namespace EdgeBroker.Transport.Tests.Linux;

public sealed class ListenFailureTests
{
    [Theory]
    [InlineData("10.0.0.5:1883", 99, true, "this machine has no such address now")]
    [InlineData("0.0.0.0:883", 13, false, "CAP_NET_BIND_SERVICE")]
    [InlineData("[::]:1883", 97, false, "IPv6 is switched off")]
    [InlineData("127.0.0.1:1883", 12, false, "annot allocate memory")]
    [InlineData("unix:/nowhere/mqtt.sock", 2, false, "the folder /nowhere does not exist; make it")]
    [InlineData("unix:/root/mqtt.sock", 13, false, "may not write to the folder /root")]
    [InlineData("unix:/usr/mqtt.sock", 30, false, "the folder /usr is read-only")]
    [InlineData("unix:/etc/passwd", 98, false, "a file of that name is there and is no socket")]
    public void Each_cause_has_its_cure(string address, int error, bool isMissing, string said)
    {
        ListenException failure = ListenFailure.Of(SocketAddress.Parse(address), error);
        Assert.StartsWith($"cannot listen on {address}: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains(said, failure.Message, StringComparison.Ordinal);
        Assert.Equal(isMissing, failure.IsAddressMissing);
    }

    [Fact]
    public void Present_is_what_the_machine_has()
    {
        Assert.True(SocketAddress.IsPresent("127.0.0.1:1"));
        Assert.True(SocketAddress.IsPresent("unix:/nowhere/x"));
        Assert.False(SocketAddress.IsPresent("203.0.113.7:1883"));
        Assert.False(SocketAddress.IsPresent("nowhere.invalid:1883"));
    }
}
