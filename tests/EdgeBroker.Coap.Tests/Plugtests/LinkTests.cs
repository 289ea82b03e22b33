using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Tests.Rig;

namespace EdgeBroker.Coap.Tests.Plugtests;

/// <summary>LINK of the plugtests: discovery and its filters (RFC 6690).</summary>
public sealed class LinkTests
{
    private const string Test = "</test>;rt=\"Type1 Type2\";if=\"If1\";title=\"Default test resource\";ct=0";
    private const string Large = "</large>;rt=\"Type3 block\";if=\"If2 Foo\";sz=1700";
    private const string Observable = "</obs>;rt=\"observe\";obs";

    private readonly TestPeer _peer = new CoapRig().Peer();

    [Theory]
    [InlineData("", $"{Test},{Large},{Observable}")]
    [InlineData("?rt=Type1", Test)]
    [InlineData("?rt=*", $"{Test},{Large},{Observable}")]
    [InlineData("?rt=Type*", $"{Test},{Large}")]
    [InlineData("?rt=block", Large)]
    [InlineData("?if=If*", $"{Test},{Large}")]
    [InlineData("?if=Foo", Large)]
    [InlineData("?sz=*", Large)]
    [InlineData("?href=/obs", Observable)]
    [InlineData("?href=/l*", Large)]
    [InlineData("?obs", Observable)]
    [InlineData("?title=Default test resource", Test)]
    [InlineData("?rt=Type1&if=If1", Test)]
    [InlineData("?rt=Type1&if=Foo", "")]
    [InlineData("?rt=Type", "")]
    public void Link_01_to_09_a_filter_finds_the_links_it_matches(string query, string links)
    {
        Answer answer = _peer.Get(".well-known/core" + query);
        Assert.Equal(CoapCode.Content, answer.Code);
        Assert.Equal(40u, answer.Number(OptionNumber.ContentFormat));
        Assert.Equal(links, answer.Text);
    }

    [Fact]
    public void Discovery_takes_GET_only_and_speaks_link_format_only()
    {
        Assert.Equal(CoapCode.MethodNotAllowed, _peer.Ask(CoapCode.Post, ".well-known/core").Code);
        Assert.Equal(CoapCode.NotAcceptable, _peer.Get(".well-known/core", new RequestOptions().With(OptionNumber.Accept, 50)).Code);
    }
}
