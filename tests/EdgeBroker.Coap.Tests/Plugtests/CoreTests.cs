using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Tests.Rig;

namespace EdgeBroker.Coap.Tests.Plugtests;

/// <summary>CORE of the CoAP plugtests of ETSI and IETF.</summary>
public sealed class CoreTests
{
    private readonly CoapRig _rig = new();
    private readonly TestSite _site;
    private readonly TestPeer _peer;

    public CoreTests()
    {
        _site = _rig.Resources;
        _peer = _rig.Peer();
    }

    public static TheoryData<byte, byte> Methods => new()
    {
        { CoapCode.Get.Value, CoapCode.Content.Value },
        { CoapCode.Delete.Value, CoapCode.Deleted.Value },
        { CoapCode.Put.Value, CoapCode.Changed.Value },
        { CoapCode.Post.Value, CoapCode.Changed.Value },
    };

    [Theory]
    [MemberData(nameof(Methods))]
    public void Core_01_to_04_a_CON_is_answered_with_its_acknowledgement(byte method, byte code)
    {
        Answer answer = _peer.Ask(new CoapCode(method), "test");
        Assert.Equal(new CoapCode(code), answer.Code);
        _peer.ExpectNothing();
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Core_05_to_08_a_NON_is_answered_by_a_NON(byte method, byte code)
    {
        _peer.Send(new CoapCode(method), "test", RequestOptions.Non);
        Answer answer = _peer.Expect();
        Assert.Equal((CoapType.NonConfirmable, new CoapCode(code)), (answer.Type, answer.Code));
        Assert.Equal([0xA1, 0xB2], answer.Token);
        _peer.ExpectNothing();
    }

    [Fact]
    public void Core_09_a_late_response_comes_separately_and_is_acknowledged()
    {
        _peer.Send(CoapCode.Get, "separate", new RequestOptions { MessageId = 7 });
        _peer.ExpectNothing();
        _rig.Advance(0.25);
        _peer.ExpectEmpty(CoapType.Acknowledgement, 7);
        _rig.Advance(0.75);
        Answer response = _peer.Expect();
        Assert.Equal((CoapType.Confirmable, CoapCode.Content), (response.Type, response.Code));
        Assert.Equal([0xA1, 0xB2], response.Token);
        _peer.Acknowledge(response);
        _rig.Advance(100);
        _peer.ExpectNothing();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8)]
    public void Core_10_to_12_the_token_comes_back(int length) =>
        Assert.Equal("answer", _peer.Get("test", new RequestOptions { Token = [.. Enumerable.Range(1, length).Select(i => (byte)i)] }).Text);

    [Fact]
    public void Core_13_a_path_has_several_segments() => Assert.Equal("three segments", _peer.Get("seg1/seg2/seg3").Text);

    [Fact]
    public void Core_14_a_query_has_several_parts() => Assert.Equal("first=1&second=2", _peer.Get("query?first=1&second=2").Text);

    [Fact]
    public void Core_15_a_request_whose_answer_is_lost_is_carried_out_once()
    {
        _peer.ToServer(Fate.Drop);
        byte[] request = _peer.Send(CoapCode.Post, "test");
        _peer.ExpectNothing();
        _peer.ToPeer(Fate.Drop, Fate.Deliver);
        _peer.Send(request);
        _peer.ExpectNothing();
        _peer.Send(request);
        Assert.Equal(CoapCode.Changed, _peer.Expect().Code);
        Assert.Equal(1, _site.Executed);
    }

    [Fact]
    public void Core_16_a_separate_response_is_sent_until_it_is_acknowledged()
    {
        byte[] request = _peer.Send(CoapCode.Get, "separate", new RequestOptions { MessageId = 7 });
        _peer.ToPeer(Fate.Drop, Fate.Deliver, Fate.Drop, Fate.Deliver);
        _rig.Advance(0.25);
        _peer.Send(request);
        _peer.ExpectEmpty(CoapType.Acknowledgement, 7);
        _rig.Advance(0.75);
        _peer.ExpectNothing();
        _rig.Advance(3);
        Answer response = _peer.Expect();
        Assert.Equal(CoapCode.Content, response.Code);
        _peer.ToServer(Fate.Drop);
        _peer.Acknowledge(response);
        _rig.Advance(6);
        Answer again = _peer.Expect();
        Assert.Equal(response.MessageId, again.MessageId);
        _peer.Acknowledge(again);
        _rig.Advance(200);
        _peer.ExpectNothing();
        Assert.Equal(1, _site.Executed);
    }

    [Fact]
    public void Core_17_a_NON_to_a_slow_resource_is_answered_by_one_late_NON()
    {
        byte[] request = _peer.Send(CoapCode.Get, "separate", RequestOptions.Non);
        _peer.Send(request);
        _rig.Advance(0.5);
        _peer.ExpectNothing();
        _rig.Advance(0.5);
        Assert.Equal(CoapType.NonConfirmable, _peer.Expect().Type);
        _rig.Advance(200);
        _peer.ExpectNothing();
        Assert.Equal(1, _site.Executed);
    }

    [Fact]
    public void Core_18_the_path_of_what_was_made_has_several_segments()
    {
        Answer answer = _peer.Ask(CoapCode.Post, "location");
        Assert.Equal(CoapCode.Created, answer.Code);
        Assert.Equal(["location1", "location2", "location3"], answer.Texts(OptionNumber.LocationPath));
    }

    [Fact]
    public void Core_20_the_format_is_the_one_that_is_accepted()
    {
        Assert.Equal(0u, _peer.Get("multi-format", new RequestOptions().With(OptionNumber.Accept, 0)).Number(OptionNumber.ContentFormat));
        Assert.Equal(50u, _peer.Get("multi-format", new RequestOptions().With(OptionNumber.Accept, 50)).Number(OptionNumber.ContentFormat));
        Assert.Equal(CoapCode.NotAcceptable, _peer.Get("multi-format", new RequestOptions().With(OptionNumber.Accept, 60)).Code);
    }

    [Fact]
    public void Core_21_and_22_ETag_and_If_Match()
    {
        _peer.Ask(CoapCode.Put, "validate", new RequestOptions().Carrying("one"));
        byte[] etag = _peer.Get("validate").Find(OptionNumber.ETag)!;
        Answer valid = _peer.Get("validate", new RequestOptions().With(OptionNumber.ETag, etag));
        Assert.Equal((CoapCode.Valid, 0), (valid.Code, valid.Payload.Length));
        RequestOptions ifMatch = new RequestOptions().With(OptionNumber.IfMatch, etag);
        Assert.Equal(CoapCode.Changed, _peer.Ask(CoapCode.Put, "validate", ifMatch.Carrying("two")).Code);
        Assert.Equal(CoapCode.PreconditionFailed, _peer.Ask(CoapCode.Put, "validate", ifMatch.Carrying("three")).Code);
        Assert.Equal("two", _peer.Get("validate", new RequestOptions().With(OptionNumber.ETag, etag)).Text);
    }

    [Fact]
    public void Core_23_If_None_Match()
    {
        RequestOptions ifNoneMatch = new RequestOptions().With(OptionNumber.IfNoneMatch, []).Carrying("one");
        Assert.Equal(CoapCode.Created, _peer.Ask(CoapCode.Put, "create1", ifNoneMatch).Code);
        Assert.Equal(CoapCode.PreconditionFailed, _peer.Ask(CoapCode.Put, "create1", ifNoneMatch).Code);
    }

    [Fact]
    public void Core_31_a_ping_is_reset()
    {
        _peer.Send("40 00 12 34");
        _peer.ExpectEmpty(CoapType.Reset, 0x1234);
    }
}
