using System.Globalization;
using System.Text;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Core.Security;

namespace EdgeBroker.Coap.Tests.Gateway;

/// <summary>FETCH on /ps (RFC 8132): several values in one exchange.</summary>
public sealed class FetchTests : IDisposable
{
    private readonly GatewayRig _rig = new();
    private readonly TestPeer _peer;

    public FetchTests() => _peer = _rig.Peer();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void The_values_of_several_topics_come_together_without_those_that_are_none()
    {
        _peer.Ask(CoapCode.Put, "ps/a", new RequestOptions().With(OptionNumber.ContentFormat, ContentFormats.Text).Carrying("1"));
        _rig.Publish("plant/b", "2", retain: true);
        _peer.Ask(CoapCode.Put, "ps/short?e=30", new RequestOptions().Carrying("3"));
        Answer answer = Fetch("a", "none", "plant/b", "short");
        Assert.Equal(
            (CoapCode.Content, (uint)ContentFormats.Cbor, 30u),
            (answer.Code, answer.Number(OptionNumber.ContentFormat), answer.Number(OptionNumber.MaxAge)));
        // [{0: "a", 1: h'31', 2: "text/plain;charset=utf-8"}, {0: "plant/b", 1: h'32'}, {0: "short", 1: h'33'}]
        Assert.Equal(
            "83A300616101413102" + "7818" + Hex("text/plain;charset=utf-8") + "A20067" + Hex("plant/b") + "014132" + "A20065" + Hex("short") + "014133",
            Convert.ToHexString(answer.Payload));
        Assert.Equal("80", Convert.ToHexString(Fetch("none").Payload));
    }

    [Fact]
    public void A_long_answer_comes_in_blocks()
    {
        string[] topics = [.. Enumerable.Range(0, 30).Select(i => "t" + i)];
        foreach (string topic in topics) _rig.Publish(topic, new string('x', 100), retain: true);
        Answer first = Fetch(topics);
        Assert.Equal(new Block(0, true, 5), first.Block(OptionNumber.Block2));
        var body = new List<byte>(first.Payload);
        for (int number = 1; ; number++)
        {
            Answer next = _peer.Ask(CoapCode.Fetch, "ps", Asking(topics).With(OptionNumber.Block2, new Block(number, false, 5)));
            Assert.Equal(CoapCode.Content, next.Code);
            body.AddRange(next.Payload);
            if (next.Block(OptionNumber.Block2) is { More: false }) break;
        }

        Assert.Equal([0x98, 30], body.Take(2));
        Assert.Equal(2 + topics.Sum(topic => 1 + 1 + 1 + topic.Length + 1 + 2 + 100), body.Count);
    }

    [Fact]
    public void Two_of_one_peer_at_once_are_not_mixed_up()
    {
        string[] names = [.. Enumerable.Range(0, 20).Select(i => "t" + i)];
        foreach (string name in names) _rig.Publish(name, new string((char)('a' + int.Parse(name[1..], CultureInfo.InvariantCulture)), 100), retain: true);
        Answer first = Fetch(names[..10]);
        Fetch(names[10..]);
        RequestOptions more = Asking(names[..10]).With(OptionNumber.Block2, new Block(1, false, 5));
        Answer next = _peer.Ask(CoapCode.Fetch, "ps", more);
        Assert.Equal(first.Find(OptionNumber.ETag), next.Find(OptionNumber.ETag));
        Assert.Contains("jjjj", next.Text, StringComparison.Ordinal);
        // Who does not say it again goes on with the last.
        Answer last = _peer.Ask(CoapCode.Fetch, "ps", new RequestOptions().With(OptionNumber.Block2, new Block(2, false, 5)));
        Assert.Equal(first.Find(OptionNumber.ETag), last.Find(OptionNumber.ETag));
    }

    [Theory]
    [InlineData("")]
    [InlineData("8161")]
    [InlineData("816161FF")]
    [InlineData("81622B61")]
    [InlineData("816123")]
    [InlineData("A0")]
    [InlineData("9F6161FF")]
    [InlineData("9AFFFFFFFF6161")]
    [InlineData("817AFFFFFFFF61")]
    [InlineData("8161FF")]
    [InlineData("8160")]
    public void What_is_no_array_of_topics_is_refused(string payload)
    {
        RequestOptions asking = new RequestOptions { Payload = Convert.FromHexString(payload) }.With(OptionNumber.ContentFormat, ContentFormats.Cbor);
        Assert.Equal(CoapCode.UnprocessableEntity, _peer.Ask(CoapCode.Fetch, "ps", asking).Code);
    }

    [Fact]
    public void Another_format_another_method_and_too_many_are_refused()
    {
        Assert.Equal(CoapCode.UnsupportedContentFormat, _peer.Ask(CoapCode.Fetch, "ps", new RequestOptions().Carrying("a")).Code);
        Assert.Equal(CoapCode.NotAcceptable, _peer.Ask(CoapCode.Fetch, "ps", Asking("a").With(OptionNumber.Accept, ContentFormats.Json)).Code);
        Assert.Equal(CoapCode.MethodNotAllowed, _peer.Get("ps").Code);
        Assert.Equal(CoapCode.MethodNotAllowed, _peer.Ask(CoapCode.Fetch, "ps/a", Asking("a")).Code);
        string[] many = [.. Enumerable.Range(0, 65).Select(i => "t" + i)];
        Assert.Equal(CoapCode.UnprocessableEntity, Fetch(many).Code);
    }

    [Fact]
    public void Values_that_are_too_long_together_are_refused()
    {
        foreach (int i in Enumerable.Range(0, 3)) _rig.Publish("t" + i, new string('x', 30_000), retain: true);
        Assert.Equal(CoapCode.Content, Fetch("t0", "t1").Code);
        Assert.Equal(CoapCode.UnprocessableEntity, Fetch("t0", "t1", "t2").Code);
    }

    [Fact]
    public void A_topic_that_may_not_be_read_refuses_all_of_it()
    {
        _rig.Publish("a", "1", retain: true);
        _rig.Publish("b", "1", retain: true);
        var rule = new AclRule { Source = "broker.toml:1", Allows = true, Actions = AccessActions.Subscribe, Topics = [new AclPattern("a")] };
        _rig.Rules.Current = new AclRuleSet([rule], []);
        TestPeer peer = _rig.Peer(port: 40_001);
        Assert.Equal(CoapCode.Content, peer.Ask(CoapCode.Fetch, "ps", Asking("a")).Code);
        Assert.Equal(CoapCode.Forbidden, peer.Ask(CoapCode.Fetch, "ps", Asking("a", "b")).Code);
    }

    private static string Hex(string text) => Convert.ToHexString(Encoding.UTF8.GetBytes(text));

    private static RequestOptions Asking(params string[] topics)
    {
        List<byte> array = topics.Length < 24 ? [(byte)(0x80 + topics.Length)] : [0x98, (byte)topics.Length];
        foreach (byte[] topic in topics.Select(Encoding.UTF8.GetBytes)) array.AddRange([(byte)(0x60 + topic.Length), .. topic]);
        return new RequestOptions { Payload = [.. array] }.With(OptionNumber.ContentFormat, ContentFormats.Cbor);
    }

    private Answer Fetch(params string[] topics) => _peer.Ask(CoapCode.Fetch, "ps", Asking(topics));
}
