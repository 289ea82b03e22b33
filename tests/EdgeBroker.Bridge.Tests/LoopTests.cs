using System.Text;
using EdgeBroker.Bridge.Hosting;
using EdgeBroker.Bridge.Loops;
using EdgeBroker.Client;
using EdgeBroker.Core.Ports;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Bridge.Tests;

/// <summary>What keeps messages from going in circles, and brokers from coming back together.</summary>
public sealed class LoopTests
{
    private static readonly byte[] Others = [.. Prop.ContentType("text/plain"), .. Prop.User("a", "b"), .. Prop.CorrelationData(1, 2)];

    [Fact]
    public void Each_broker_adds_its_name_and_changes_nothing_else()
    {
        byte[] once = new MessagePath("one", 8).Append(Others);
        Assert.Equal([.. Others, .. Prop.User("edgebroker-path", "one")], once);
        byte[] twice = new MessagePath("two", 8).Append([.. once, .. Prop.User("c", "d")]);
        Assert.Equal([.. Others, .. Prop.User("edgebroker-path", "one,two"), .. Prop.User("c", "d")], twice);
        Assert.Equal("one", Encoding.UTF8.GetString(MessagePath.OriginOf(Block(twice))));
    }

    [Theory]
    [InlineData("a,me,b", true)]
    [InlineData("me", true)]
    [InlineData("amen,mee", false)]
    [InlineData("a,b,c", false)]
    [InlineData("a,b,c,d", true)]
    public void Who_has_been_here_or_come_too_far_is_known(string path, bool isLoop) =>
        Assert.Equal(isLoop, new MessagePath("me", 3).IsLoop(Block(Prop.User("edgebroker-path", path))));

    [Theory]
    [InlineData("a,b", true)]
    [InlineData("a,b,c", false)]
    public void Who_has_come_as_far_as_allowed_does_not_go_on(string path, bool mayGo) =>
        Assert.Equal(mayGo, new MessagePath("me", 3).MayGoOn(Prop.User("edgebroker-path", path)));

    [Fact]
    public void Without_a_path_nothing_is_a_loop()
    {
        var path = new MessagePath("me", 1);
        Assert.False(path.IsLoop(Block(Others)));
        Assert.True(path.MayGoOn(Others));
        Assert.True(path.MayGoOn(default));
        Assert.True(MessagePath.OriginOf(default).IsEmpty);
    }

    [Fact]
    public void As_many_echoes_are_left_out_as_went_out_within_the_time()
    {
        var window = new EchoWindow(TimeSpan.FromSeconds(10));
        window.Sent("t"u8, "1"u8, 0);
        window.Sent("t"u8, "1"u8, 0);
        Assert.True(window.IsEcho("t"u8, "1"u8, 1));
        Assert.False(window.IsEcho("t"u8, "2"u8, 1));
        Assert.True(window.IsEcho("t"u8, "1"u8, 1));
        Assert.False(window.IsEcho("t"u8, "1"u8, 1));
        window.Sent("t"u8, "3"u8, 2);
        Assert.False(window.IsEcho("t"u8, "3"u8, 40_000));
    }

    [Fact]
    public void Copies_by_other_bridges_are_left_out_and_repeated_values_are_not()
    {
        var window = new CopyWindow();
        Assert.True(IsNew("left", "21.5"));
        Assert.False(IsNew("right", "21.5"));
        // The sensor says the same again.
        Assert.True(IsNew("right", "21.5"));
        Assert.False(IsNew("left", "21.5"));
        Assert.True(IsNew("left", "21.5"));
        Assert.True(IsNew("left", "22"));
        Assert.True(window.IsNew("other"u8, "right", "t"u8, "22"u8, 0));
        Assert.True(window.IsNew(default, "right", "t"u8, "22"u8, 0));

        bool IsNew(string bridge, string payload) => window.IsNew("origin"u8, bridge, "t"u8, Encoding.UTF8.GetBytes(payload), 0);
    }

    [Fact]
    public void A_message_with_an_identity_is_a_copy_however_late_it_comes_again_and_another_way()
    {
        var window = new IdentityWindow(2);
        CopyVerdict first = window.Judge(1, "left");
        Assert.False(first.IsCopy);
        CopyVerdict copy = window.Judge(1, "right");
        // It is acknowledged when the first is kept, and not before.
        Assert.True(copy is { IsCopy: true, Arrival.IsDone: false });
        // Not acknowledged, and so sent again.
        Assert.False(window.Judge(1, "left").IsCopy);
        Assert.False(window.Judge(1, "right").IsCopy);
        first.Arrival!.Complete();
        Assert.True(copy.Arrival.IsDone);
        Assert.True(window.Judge(1, "left") is { IsCopy: true, Arrival: null });
        for (ulong key = 2; key < 5; key++) window.Judge(key, "left").Arrival!.Complete();
        Assert.True(window.Judge(2, "right").IsCopy);
        window.Judge(5, "left").Arrival!.Complete();
        Assert.Equal([false, false, true, true, true], Enumerable.Range(1, 5).Select(key => window.Judge((ulong)key, "right").IsCopy));
    }

    [Fact]
    public void What_is_never_kept_is_not_remembered_for_ever()
    {
        var window = new IdentityWindow(4);
        for (ulong key = 0; key < 5; key++) Assert.False(window.Judge(key, "left").IsCopy);
        Assert.False(window.Judge(0, "right").IsCopy);
        Assert.True(window.Judge(4, "right").IsCopy);
    }

    [Fact]
    public void Every_message_gets_an_identity_of_its_own_once()
    {
        var one = new MessageIdentity();
        byte[] first = one.Append(Others)!;
        byte[] second = one.Append(Others)!;
        Assert.Equal(Others, first[..Others.Length]);
        byte[] identity = MessageIdentity.Of(Block(first)).ToArray();
        Assert.NotEqual(identity, MessageIdentity.Of(Block(second)).ToArray());
        Assert.NotEqual(identity, MessageIdentity.Of(Block(new MessageIdentity().Append(default)!)).ToArray());
        Assert.Null(one.Append(first));
        Assert.True(MessageIdentity.Of(Block(Others)).IsEmpty);
    }

    [Fact]
    public void What_is_remembered_is_bounded_in_number_and_time()
    {
        var table = new AgedTable<string>(1_000, 4);
        for (ulong key = 0; key < 100; key++) table.Set(key, "v", 0);
        Assert.Equal(8, Enumerable.Range(0, 100).Count(key => table.TryFind((ulong)key, 0, out _)));
        Assert.True(table.TryFind(99, 999, out _));
        Assert.True(table.TryFind(99, 1_500, out _));
        Assert.False(table.TryFind(99, 3_600, out _));
    }

    [Fact]
    public void Waits_are_random_between_the_first_and_three_times_the_one_before()
    {
        var options = new ReconnectOptions { FirstDelay = TimeSpan.FromSeconds(2), LongestDelay = TimeSpan.FromSeconds(60) };
        var longest = new DecorrelatedBackoff(options, () => 1);
        Assert.Equal([6, 18, 54, 60, 60], Enumerable.Range(0, 5).Select(_ => longest.Next().TotalSeconds));
        longest.ConnectionLasted(TimeSpan.FromSeconds(59));
        Assert.Equal(60, longest.Next().TotalSeconds);
        longest.ConnectionLasted(TimeSpan.FromSeconds(60));
        Assert.Equal(6, longest.Next().TotalSeconds);
        Assert.Equal(2, new DecorrelatedBackoff(options, () => 0).Next().TotalSeconds);
    }

    private static PropertyBlock Block(byte[] properties)
    {
        Assert.True(PropertyBlock.TryRead(properties, out PropertyBlock block));
        return block;
    }
}
