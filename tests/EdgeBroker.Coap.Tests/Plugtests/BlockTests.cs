using System.Text;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Coap.Tests.Plugtests;

/// <summary>BLOCK of the plugtests, and what goes wrong in transfers (RFC 7959).</summary>
public sealed class BlockTests
{
    private readonly CoapRig _rig = new();
    private readonly TestPeer _peer;

    public BlockTests() => _peer = _rig.Peer();

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(5)]
    public void Block_01_and_06_the_client_says_the_size_at_once(int exponent)
    {
        byte[] body = Download(exponent, exponent, out byte[]? etag, out uint? size);
        Assert.Equal(_rig.Resources.LargeBody, body);
        Assert.NotNull(etag);
        Assert.Equal(1_700u, size);
    }

    [Fact]
    public void Block_01_a_client_that_asks_for_larger_blocks_gets_ours()
    {
        Answer answer = _peer.Get("large", new RequestOptions().With(OptionNumber.Block2, new Block(0, false, 6)));
        Assert.Equal(new Block(0, true, 5), answer.Block(OptionNumber.Block2));
        Assert.Equal(512, answer.Payload.Length);
    }

    [Fact]
    public void Block_02_the_client_says_the_size_after_the_first_block()
    {
        Answer first = _peer.Get("large");
        Assert.Equal(new Block(0, true, 5), first.Block(OptionNumber.Block2));
        var body = new List<byte>(first.Payload);
        bool more = true;
        while (more)
        {
            Answer next = _peer.Get("large", new RequestOptions().With(OptionNumber.Block2, new Block(body.Count / 64, false, 2)));
            Assert.Equal(first.Find(OptionNumber.ETag), next.Find(OptionNumber.ETag));
            more = next.Block(OptionNumber.Block2)!.Value.More;
            body.AddRange(next.Payload);
        }

        Assert.Equal(_rig.Resources.LargeBody, body);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(5)]
    public void Block_03_and_04_a_body_comes_in_blocks(int exponent)
    {
        byte[] body = _rig.Resources.LargeBody;
        Answer last = Upload(CoapCode.Put, "large-update", body, exponent);
        Assert.Equal(CoapCode.Changed, last.Code);
        Assert.Equal(body, _rig.Resources.Stored);
        Assert.Equal(1, _rig.Resources.Executed);
    }

    [Fact]
    public void Block_03_a_client_with_larger_blocks_is_asked_for_smaller_ones()
    {
        byte[] body = _rig.Resources.LargeBody;
        RequestOptions first = new RequestOptions { Payload = body[..1024] }.With(OptionNumber.Block1, new Block(0, true, 6));
        Assert.Equal(new Block(0, true, 5), _peer.Ask(CoapCode.Put, "large-update", first).Block(OptionNumber.Block1));
        RequestOptions second = new RequestOptions { Payload = body[1024..1536] }.With(OptionNumber.Block1, new Block(2, true, 5));
        Assert.Equal(CoapCode.Continue, _peer.Ask(CoapCode.Put, "large-update", second).Code);
        RequestOptions third = new RequestOptions { Payload = body[1536..] }.With(OptionNumber.Block1, new Block(3, false, 5));
        Assert.Equal(CoapCode.Changed, _peer.Ask(CoapCode.Put, "large-update", third).Code);
        Assert.Equal(body, _rig.Resources.Stored);
    }

    [Fact]
    public void Block_05_both_ways()
    {
        byte[] body = _rig.Resources.LargeBody;
        Answer answer = Upload(CoapCode.Post, "large-post", body, 5);
        Assert.Equal(new Block(0, true, 5), answer.Block(OptionNumber.Block2));
        var got = new List<byte>(answer.Payload);
        for (int i = 1; answer.Block(OptionNumber.Block2)!.Value.More; i++)
        {
            answer = _peer.Ask(CoapCode.Post, "large-post", new RequestOptions().With(OptionNumber.Block2, new Block(i, false, 5)));
            got.AddRange(answer.Payload);
        }

        Assert.Equal(Encoding.UTF8.GetString(body).ToUpperInvariant(), Encoding.UTF8.GetString([.. got]));
    }

    [Fact]
    public void A_missing_block_is_told_and_the_transfer_begins_again()
    {
        Put(0, true);
        Assert.Equal(CoapCode.RequestEntityIncomplete, Put(2, false).Code);
        Assert.Equal(CoapCode.RequestEntityIncomplete, Put(1, false).Code);
        Assert.Equal(CoapCode.Continue, Put(0, true).Code);
        Assert.Equal(CoapCode.Changed, Put(1, false).Code);
    }

    [Fact]
    public void A_first_block_begins_anew()
    {
        Put(0, true);
        Put(1, true);
        Assert.Equal(CoapCode.Continue, Put(0, true).Code);
        Assert.Equal(CoapCode.Changed, Put(1, false).Code);
        Assert.Equal(32, _rig.Resources.Stored.Length);
    }

    [Fact]
    public void Transfers_with_other_request_tags_do_not_disturb_each_other()
    {
        Put(0, true, tag: 1);
        Put(0, true, tag: 2);
        Assert.Equal(CoapCode.Changed, Put(1, false, tag: 1).Code);
        Assert.Equal(CoapCode.Changed, Put(1, false, tag: 2).Code);
    }

    [Fact]
    public void A_transfer_does_not_go_on_from_another_end_point()
    {
        Put(0, true);
        Assert.Equal(CoapCode.RequestEntityIncomplete, Put(1, false, peer: _rig.Peer(port: 2)).Code);
        Assert.Equal(CoapCode.Changed, Put(1, false).Code);
    }

    [Fact]
    public void A_transfer_that_rests_for_too_long_is_forgotten()
    {
        long before = _rig.Server.MemoryBytes;
        Put(0, true);
        _rig.Advance(94);
        Assert.Equal(CoapCode.RequestEntityIncomplete, Put(1, false).Code);
        _rig.Advance(700);
        Assert.Equal(before, _rig.Server.MemoryBytes);
    }

    [Fact]
    public void A_body_over_the_limit_is_refused_with_the_limit()
    {
        var rig = new CoapRig(limits: new CoapLimits { MaxBodyBytes = 1_000 });
        TestPeer peer = rig.Peer();
        RequestOptions first = new RequestOptions { Payload = new byte[512] }.With(OptionNumber.Block1, new Block(0, true, 5));
        Answer announced = peer.Ask(CoapCode.Put, "large-update", first.With(OptionNumber.Size1, 1_001));
        Assert.Equal((CoapCode.RequestEntityTooLarge, 1_000u), (announced.Code, announced.Number(OptionNumber.Size1)));
        peer.Ask(CoapCode.Put, "large-update", first);
        Answer grown = peer.Ask(CoapCode.Put, "large-update", new RequestOptions { Payload = new byte[512] }.With(OptionNumber.Block1, new Block(1, true, 5)));
        Assert.Equal(CoapCode.RequestEntityTooLarge, grown.Code);
        Answer whole = peer.Ask(CoapCode.Put, "large-update", new RequestOptions { Payload = new byte[1_001] });
        Assert.Equal((CoapCode.RequestEntityTooLarge, 1_000u), (whole.Code, whole.Number(OptionNumber.Size1)));
        Assert.Equal(0, rig.Resources.Executed);
    }

    [Fact]
    public void A_full_block_is_full_and_a_reserved_size_is_none()
    {
        RequestOptions half = new RequestOptions { Payload = new byte[8] }.With(OptionNumber.Block1, new Block(0, true, 0));
        Assert.Equal(CoapCode.BadRequest, _peer.Ask(CoapCode.Put, "large-update", half).Code);
        Assert.Equal(CoapCode.BadOption, _peer.Ask(CoapCode.Put, "large-update", new RequestOptions().With(OptionNumber.Block1, 7)).Code);
        Assert.Equal(CoapCode.BadRequest, _peer.Get("large", new RequestOptions().With(OptionNumber.Block2, new Block(100, false, 5))).Code);
    }

    [Fact]
    public void Bodies_being_put_together_are_bounded_and_the_one_that_rests_longest_goes()
    {
        var rig = new CoapRig(limits: new CoapLimits { MaxAssemblyBytes = 10_000 });
        TestPeer[] peers = [.. Enumerable.Range(1, 99).Select(port => rig.Peer(port))];
        foreach (TestPeer peer in peers)
        {
            peer.Ask(CoapCode.Put, "large-update", new RequestOptions { Payload = new byte[512] }.With(OptionNumber.Block1, new Block(0, true, 5)));
        }

        // Peers, exchanges and their replies besides.
        Assert.InRange(rig.Server.MemoryBytes - (99 * (850 + 250)), 5_000, 10_000 + 2_000);
        Answer answer = peers[^1].Ask(
            CoapCode.Put, "large-update", new RequestOptions { Payload = [1] }.With(OptionNumber.Block1, new Block(1, false, 5)));
        Assert.Equal(CoapCode.Changed, answer.Code);
    }

    [Fact]
    public void A_response_that_is_not_kept_any_more_is_not_made_up()
    {
        Answer answer = _peer.Ask(CoapCode.Post, "large-post", new RequestOptions().With(OptionNumber.Block2, new Block(1, false, 5)));
        Assert.Equal(CoapCode.RequestEntityIncomplete, answer.Code);
    }

    [Fact]
    public void Responses_kept_for_their_blocks_are_bounded_and_the_oldest_goes()
    {
        var rig = new CoapRig(limits: new CoapLimits { MaxAssemblyBytes = 5_000 });
        TestPeer[] peers = [.. Enumerable.Range(1, 4).Select(port => rig.Peer(port))];
        RequestOptions large = new() { Payload = _rig.Resources.LargeBody };
        foreach (TestPeer peer in peers) Assert.True(peer.Ask(CoapCode.Post, "large-post", large).Block(OptionNumber.Block2)!.Value.More);
        Assert.Equal(2 * 1_700, rig.Server.KeptBodies.MemoryBytes);
        RequestOptions next = new RequestOptions().With(OptionNumber.Block2, new Block(1, false, 5));
        Assert.Equal(CoapCode.RequestEntityIncomplete, peers[0].Ask(CoapCode.Post, "large-post", next).Code);
        Assert.Equal(CoapCode.Changed, peers[^1].Ask(CoapCode.Post, "large-post", next).Code);
    }

    [Fact]
    public void Nothing_is_kept_for_an_address_that_has_to_be_proved_first()
    {
        TestPeer stranger = _rig.Peer(address: "192.0.2.1");
        Assert.Equal(CoapCode.Unauthorized, stranger.Ask(CoapCode.Post, "large-post", new RequestOptions { Payload = _rig.Resources.LargeBody }).Code);
        Assert.Equal(0, _rig.Server.KeptBodies.MemoryBytes);
    }

    [Fact]
    public void Between_two_blocks_the_body_may_change_and_the_client_sees_it()
    {
        Answer first = _peer.Get("large");
        _rig.Resources.LargeBody = new byte[1_700];
        Answer second = _peer.Get("large", new RequestOptions().With(OptionNumber.Block2, new Block(1, false, 5)));
        Assert.NotEqual(first.Find(OptionNumber.ETag), second.Find(OptionNumber.ETag));
    }

    private Answer Put(int number, bool more, byte? tag = null, TestPeer? peer = null)
    {
        RequestOptions options = new RequestOptions { Payload = new byte[16] }.With(OptionNumber.Block1, new Block(number, more, 0));
        return (peer ?? _peer).Ask(CoapCode.Put, "large-update", tag is { } t ? options.With(OptionNumber.RequestTag, [t]) : options);
    }

    private byte[] Download(int first, int next, out byte[]? etag, out uint? size)
    {
        Answer answer = _peer.Get("large", new RequestOptions().With(OptionNumber.Block2, new Block(0, false, first)));
        etag = answer.Find(OptionNumber.ETag);
        size = answer.Number(OptionNumber.Size2);
        var body = new List<byte>(answer.Payload);
        for (int i = 1; answer.Block(OptionNumber.Block2)!.Value.More; i++)
        {
            answer = _peer.Get("large", new RequestOptions().With(OptionNumber.Block2, new Block(i, false, next)));
            Assert.Equal((i, next), (answer.Block(OptionNumber.Block2)!.Value.Number, answer.Block(OptionNumber.Block2)!.Value.SizeExponent));
            body.AddRange(answer.Payload);
            if (i % 40 == 0) _rig.Advance(1);
        }

        return [.. body];
    }

    private Answer Upload(CoapCode method, string path, byte[] body, int exponent)
    {
        int size = 16 << exponent;
        for (int i = 0; ; i++)
        {
            bool more = body.Length > (i + 1) * size;
            var block = new Block(i, more, exponent);
            Answer answer = _peer.Ask(
                method, path, new RequestOptions { Payload = body[(i * size)..Math.Min(body.Length, (i + 1) * size)] }.With(OptionNumber.Block1, block));
            Assert.Equal(block, answer.Block(OptionNumber.Block1));
            if (!more) return answer;
            Assert.Equal(CoapCode.Continue, answer.Code);
            if (i % 40 == 39) _rig.Advance(1);
        }
    }
}
