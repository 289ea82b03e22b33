using System.Text;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Coap.Tests.Gateway;

public sealed class TopicTests : IDisposable
{
    private readonly GatewayRig _rig = new();
    private readonly TestPeer _peer;

    public TopicTests() => _peer = _rig.Peer();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void A_PUT_is_a_retained_publish_that_MQTT_hears_and_CoAP_reads()
    {
        using LocalClient subscriber = _rig.Subscribe("plant/#");
        Assert.Equal(CoapCode.Created, _peer.Ask(CoapCode.Put, "ps/plant/press7/temperature", new RequestOptions().Carrying("71.5")).Code);
        Assert.True(subscriber.TryRead(out LocalDelivery delivery));
        Assert.Equal(("plant/press7/temperature", "71.5", QoS.AtLeastOnce, true), Told(delivery));
        Answer read = _peer.Get("ps/plant/press7/temperature");
        Assert.Equal((CoapCode.Content, "71.5", 60u), (read.Code, read.Text, read.Number(OptionNumber.MaxAge)));
        Assert.Equal(CoapCode.Changed, _peer.Ask(CoapCode.Put, "ps/plant/press7/temperature", new RequestOptions().Carrying("72")).Code);
        Assert.Equal("72", _peer.Get("ps/plant/press7/temperature").Text);
    }

    [Fact]
    public void A_POST_is_an_event_that_nobody_keeps_and_counts_whoever_hears_it()
    {
        Assert.Equal(CoapCode.Changed, _peer.Ask(CoapCode.Post, "ps/a", new RequestOptions().Carrying("1")).Code);
        using LocalClient subscriber = _rig.Subscribe("a");
        Assert.False(subscriber.TryRead(out _));
        _peer.Ask(CoapCode.Post, "ps/a", new RequestOptions().Carrying("2"));
        Assert.True(subscriber.TryRead(out LocalDelivery delivery));
        Assert.Equal(("a", "2", QoS.AtLeastOnce, false), Told(delivery));
        Assert.Equal(CoapCode.NotFound, _peer.Get("ps/a").Code);
    }

    [Theory]
    [InlineData(false, "", 1)]
    [InlineData(true, "", 0)]
    [InlineData(true, "?q=2", 2)]
    [InlineData(false, "?qos=0", 0)]
    public void The_QoS_is_that_of_the_message_type_unless_the_query_says_it(bool isNon, string query, int qos)
    {
        using LocalClient subscriber = _rig.Subscribe("a");
        _peer.Send(CoapCode.Post, "ps/a" + query, new RequestOptions { NonConfirmable = isNon }.Carrying("1"));
        Assert.Equal(CoapCode.Changed, _peer.Expect().Code);
        Assert.True(subscriber.TryRead(out LocalDelivery delivery));
        Assert.Equal((QoS)qos, delivery.QoS);
    }

    [Fact]
    public void The_query_retains_and_does_not_retain()
    {
        _peer.Ask(CoapCode.Post, "ps/a?r=1", new RequestOptions().Carrying("1"));
        Assert.Equal("1", _peer.Get("ps/a").Text);
        Assert.Equal(CoapCode.Changed, _peer.Ask(CoapCode.Put, "ps/b?retain=0", new RequestOptions().Carrying("1")).Code);
        Assert.Equal(CoapCode.NotFound, _peer.Get("ps/b").Code);
    }

    [Fact]
    public void A_value_expires_and_its_Max_Age_says_when()
    {
        _peer.Ask(CoapCode.Put, "ps/a?e=100", new RequestOptions().Carrying("1"));
        _rig.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(70u, _peer.Get("ps/a").Number(OptionNumber.MaxAge));
        _rig.Time.Advance(TimeSpan.FromSeconds(71));
        Assert.Equal(CoapCode.NotFound, _peer.Get("ps/a").Code);
    }

    [Fact]
    public void A_DELETE_clears_the_value_and_MQTT_hears_of_it()
    {
        Assert.Equal(CoapCode.NotFound, _peer.Ask(CoapCode.Delete, "ps/a").Code);
        _peer.Ask(CoapCode.Put, "ps/a", new RequestOptions().Carrying("1"));
        using LocalClient subscriber = _rig.Subscribe("a");
        Assert.True(subscriber.TryRead(out _));
        Assert.Equal(CoapCode.Deleted, _peer.Ask(CoapCode.Delete, "ps/a").Code);
        Assert.True(subscriber.TryRead(out LocalDelivery delivery));
        Assert.Equal(("a", "", QoS.AtLeastOnce, true), Told(delivery));
        Assert.Equal(CoapCode.NotFound, _peer.Get("ps/a").Code);
    }

    [Fact]
    public void Who_has_the_value_already_hears_that_it_is_still_good()
    {
        _peer.Ask(CoapCode.Put, "ps/a", new RequestOptions().Carrying("1"));
        byte[] etag = _peer.Get("ps/a").Find(OptionNumber.ETag)!;
        Answer valid = _peer.Get("ps/a", new RequestOptions().With(OptionNumber.ETag, etag));
        Assert.Equal((CoapCode.Valid, ""), (valid.Code, valid.Text));
        Assert.Equal(etag, valid.Find(OptionNumber.ETag));
        _peer.Ask(CoapCode.Put, "ps/a", new RequestOptions().Carrying("2"));
        Assert.Equal("2", _peer.Get("ps/a", new RequestOptions().With(OptionNumber.ETag, etag)).Text);
    }

    [Fact]
    public void Preconditions_hold_or_nothing_is_published()
    {
        RequestOptions ifNew = new RequestOptions().With(OptionNumber.IfNoneMatch, []).Carrying("1");
        RequestOptions ifThere = new RequestOptions().With(OptionNumber.IfMatch, []).Carrying("2");
        Assert.Equal(CoapCode.PreconditionFailed, _peer.Ask(CoapCode.Put, "ps/a", ifThere).Code);
        Assert.Equal(CoapCode.Created, _peer.Ask(CoapCode.Put, "ps/a", ifNew).Code);
        Assert.Equal(CoapCode.PreconditionFailed, _peer.Ask(CoapCode.Put, "ps/a", ifNew).Code);
        byte[] etag = _peer.Get("ps/a").Find(OptionNumber.ETag)!;
        Assert.Equal(CoapCode.Changed, _peer.Ask(CoapCode.Put, "ps/a", ifThere).Code);
        RequestOptions ifSame = new RequestOptions().With(OptionNumber.IfMatch, etag).Carrying("3");
        Assert.Equal(CoapCode.PreconditionFailed, _peer.Ask(CoapCode.Put, "ps/a", ifSame).Code);
        Assert.Equal(CoapCode.PreconditionFailed, _peer.Ask(CoapCode.Delete, "ps/a", ifSame).Code);
        Assert.Equal("2", _peer.Get("ps/a").Text);
    }

    [Theory]
    [InlineData(50, "application/json")]
    [InlineData(0, "text/plain;charset=utf-8")]
    [InlineData(60, "application/cbor")]
    [InlineData(11_542, null)]
    public void A_content_format_goes_through_MQTT_and_comes_back(int format, string? mediaType)
    {
        using LocalClient subscriber = _rig.Subscribe("a");
        _peer.Ask(CoapCode.Put, "ps/a", new RequestOptions().With(OptionNumber.ContentFormat, (uint)format).Carrying("1"));
        Assert.True(subscriber.TryRead(out LocalDelivery delivery));
        Assert.True(PropertyBlock.TryRead(delivery.Message.Properties, out PropertyBlock properties));
        Assert.Equal(mediaType ?? "", Encoding.UTF8.GetString(properties.GetValue(PropertyId.ContentType)));
        Assert.Equal(ContentFormats.IsText(format) ? 1u : 0u, properties.GetNumber(PropertyId.PayloadFormatIndicator, 0));
        Assert.Equal((uint)format, _peer.Get("ps/a").Number(OptionNumber.ContentFormat));
        Assert.Equal(CoapCode.Content, _peer.Get("ps/a", new RequestOptions().With(OptionNumber.Accept, (uint)format)).Code);
        Assert.Equal(CoapCode.NotAcceptable, _peer.Get("ps/a", new RequestOptions().With(OptionNumber.Accept, 41)).Code);
    }

    [Fact]
    public void Text_that_is_none_is_refused()
    {
        var options = new RequestOptions { Payload = [0xC3, 0x28] };
        Assert.Equal(CoapCode.BadRequest, _peer.Ask(CoapCode.Put, "ps/a", options.With(OptionNumber.ContentFormat, 0)).Code);
        Assert.Equal(CoapCode.Created, _peer.Ask(CoapCode.Put, "ps/a", options.With(OptionNumber.ContentFormat, 42)).Code);
    }

    [Theory]
    [InlineData("ps", "4.05")]
    [InlineData("ps/a/+", "4.00")]
    [InlineData("ps/a#", "4.00")]
    [InlineData("ps/a?q=3", "4.00")]
    [InlineData("ps/a?r=maybe", "4.00")]
    [InlineData("ps/a?e=soon", "4.00")]
    [InlineData("ps/a?mode=fast", "4.00")]
    [InlineData("ps/a?c=", "4.00")]
    [InlineData("ps/a?c=$local/x", "4.00")]
    [InlineData("ps/a?u=anna&p=x", "4.01")]
    [InlineData("ps/$SYS/x", "4.03")]
    [InlineData("ps/a?unknown=1", "2.01")]
    [InlineData("ps/$a", "2.01")]
    [InlineData("ps//a", "2.01")]
    public void A_PUT_to_a_topic_of_that_name(string path, string code)
    {
        Answer answer = _peer.Ask(CoapCode.Put, path, new RequestOptions().Carrying("1"));
        Assert.Equal(code, answer.Code.ToString());
        Assert.Equal(answer.Code.IsSuccess, answer.Text.Length == 0);
    }

    [Fact]
    public void A_level_with_a_slash_or_a_zero_is_none()
    {
        foreach (byte[] level in new[] { "a/b"u8.ToArray(), "a\0b"u8.ToArray(), [0xFF] })
        {
            RequestOptions options = new RequestOptions().With(OptionNumber.UriPath, "ps"u8.ToArray()).With(OptionNumber.UriPath, level).Carrying("1");
            Assert.Equal(CoapCode.BadRequest, _peer.Ask(CoapCode.Put, "", options).Code);
        }
    }

    [Fact]
    public void Other_methods_and_empty_values()
    {
        Assert.Equal(CoapCode.MethodNotAllowed, _peer.Ask(CoapCode.Fetch, "ps/a", new RequestOptions().Carrying("1")).Code);
        Assert.Equal(CoapCode.BadRequest, _peer.Ask(CoapCode.Put, "ps/a").Code);
        Assert.Equal(CoapCode.NotFound, _peer.Get("ps/a").Code);
    }

    [Fact]
    public void A_large_value_comes_and_goes_in_blocks()
    {
        byte[] value = [.. Enumerable.Range(0, 3_000).Select(i => (byte)i)];
        for (int i = 0; i < 6; i++)
        {
            var options = new RequestOptions { Payload = value[(i * 512)..Math.Min(3_000, (i + 1) * 512)] };
            Answer answer = _peer.Ask(CoapCode.Put, "ps/a", options.With(OptionNumber.Block1, new Block(i, i < 5, 5)));
            Assert.Equal(i < 5 ? CoapCode.Continue : CoapCode.Created, answer.Code);
        }

        var read = new List<byte>();
        for (int i = 0; i < 6; i++) read.AddRange(_peer.Get("ps/a", new RequestOptions().With(OptionNumber.Block2, new Block(i, false, 5))).Payload);
        Assert.Equal(value, read);
    }

    [Fact]
    public void Discovery_tells_of_topics_and_names_none()
    {
        _rig.Publish("secret/name", "1", retain: true);
        Answer links = _peer.Get(".well-known/core");
        Assert.Contains("</ps>;rt=\"core.ps.data\"", links.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", links.Text, StringComparison.Ordinal);
        Assert.Equal(links.Text, _peer.Get(".well-known/core?rt=core.ps.data").Text);
    }

    [Fact]
    public async Task A_CON_is_answered_when_it_is_on_disk()
    {
        var journal = new TestJournal();
        using var rig = new GatewayRig(journal);
        TestPeer peer = rig.Peer();
        peer.Send(CoapCode.Put, "ps/a", new RequestOptions { MessageId = 7 }.Carrying("1"));
        rig.Time.Advance(TimeSpan.FromMilliseconds(249));
        peer.ExpectNothing();
        rig.Time.Advance(TimeSpan.FromMilliseconds(1));
        await peer.MailAsync();
        peer.ExpectEmpty(CoapType.Acknowledgement, 7);
        rig.Time.Advance(TimeSpan.FromSeconds(5));
        peer.ExpectNothing();
        journal.Commit();
        await peer.MailAsync();
        Answer response = peer.Expect();
        Assert.Equal((CoapType.Confirmable, CoapCode.Created), (response.Type, response.Code));
        peer.Acknowledge(response);
    }

    [Fact]
    public void While_the_store_cannot_write_it_says_when_to_come_again()
    {
        using var rig = new GatewayRig(new TestJournal { CommitsAtOnce = true, Condition = JournalCondition.Failing });
        Answer refused = rig.Peer().Ask(CoapCode.Put, "ps/a", new RequestOptions().Carrying("1"));
        Assert.Equal((CoapCode.ServiceUnavailable, 30u), (refused.Code, refused.Number(OptionNumber.MaxAge)));
    }

    [Fact]
    public async Task A_commit_that_comes_at_once_is_told_with_the_acknowledgement()
    {
        using var rig = new GatewayRig(new TestJournal { CommitsAtOnce = true });
        TestPeer peer = rig.Peer();
        peer.Send(CoapCode.Put, "ps/a", new RequestOptions { MessageId = 7 }.Carrying("1"));
        await peer.MailAsync();
        Answer answer = peer.Expect();
        Assert.Equal((CoapType.Acknowledgement, CoapCode.Created, 7), (answer.Type, answer.Code, answer.MessageId));
    }

    private static (string Topic, string Payload, QoS QoS, bool Retain) Told(in LocalDelivery delivery) =>
        (Encoding.UTF8.GetString(delivery.Message.Topic), Encoding.UTF8.GetString(delivery.Message.Payload), delivery.QoS, delivery.Retain);
}
