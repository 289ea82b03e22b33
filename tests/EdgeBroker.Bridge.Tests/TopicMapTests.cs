using System.Text;
using EdgeBroker.Bridge.Routes;

namespace EdgeBroker.Bridge.Tests;

public sealed class TopicMapTests
{
    [Theory]
    // Wildcards are kept, whatever stands around them.
    [InlineData("plant/#", "dt/gw/plant/#", "plant/a/b", "dt/gw/plant/a/b")]
    [InlineData("plant/#", "dt/#", "plant", "dt")]
    [InlineData("plant/#", "dt/#", "plant/", "dt/")]
    [InlineData("#", "up/#", "a", "up/a")]
    [InlineData("#", "up/#", "/", "up//")]
    [InlineData("a/+/c", "x/+", "a/b/c", "x/b")]
    [InlineData("a/+/c", "x/+", "a//c", "x/")]
    [InlineData("+/+/#", "s/+/t/+/#", "a/b/c/d", "s/a/t/b/c/d")]
    [InlineData("+/+/#", "s/+/t/+/#", "a/b", "s/a/t/b")]
    [InlineData("a/b", "c", "a/b", "c")]
    // Many topics become one.
    [InlineData("plant/#", "v1/devices/me/telemetry", "plant/x", "v1/devices/me/telemetry")]
    // Templates.
    [InlineData("plant/#", "devices/{client}/messages/events/topic={topic:url}", "plant/a b", "devices/gw-1/messages/events/topic=plant%2Fa%20b")]
    [InlineData("+/line/+", "{2}/{1}", "p/line/7", "7/p")]
    [InlineData("a/#", "b/{1}", "a/c/d", "b/c/d")]
    [InlineData("a/#", "b/{1}", "a", "b")]
    [InlineData("a/+", "b/{1:url}", "a/é", "b/%C3%A9")]
    public void A_topic_becomes(string source, string target, string topic, string expected) =>
        Assert.Equal(expected, Text(TopicMap.Create(source, target, "gw-1").Map(Encoding.UTF8.GetBytes(topic))));

    [Theory]
    [InlineData("plant/#", "x/#", "plants/a")]
    [InlineData("+/a", "x/+", "$SYS/a")]
    [InlineData("a/#", "#", "a")]
    [InlineData("a/+", "b", "a/b/c")]
    public void A_topic_is_not_carried(string source, string target, string topic) =>
        Assert.Null(TopicMap.Create(source, target, "c").Map(Encoding.UTF8.GetBytes(topic)));

    [Theory]
    [InlineData("a/#", "b/+", "same order")]
    [InlineData("a/+/#", "b/#", "same order")]
    [InlineData("a/+", "b/{2}", "{1} to {1}")]
    [InlineData("a", "b/{1}", "{topic} and {client}")]
    [InlineData("a/+", "b/{1", "without its }")]
    [InlineData("a/+", "b/{1}/#", "a wildcard")]
    [InlineData("a/b#", "c", "not a topic filter")]
    [InlineData("a/#", "b/#/c", "neither")]
    [InlineData("$share/g/a", "b", "not a topic filter")]
    public void What_does_not_go_together_is_said(string source, string target, string text) =>
        Assert.Contains(text, Assert.Throws<FormatException>(() => TopicMap.Create(source, target, "c")).Message, StringComparison.Ordinal);

    [Fact]
    public void Both_ways_lead_back()
    {
        var table = new RouteTable([new RouteOptions { Direction = RouteDirection.Both, Local = "plant/+/#", Remote = "gw/7/+/#" }], "c");
        RoutedTopic there = table.FindOut("plant/a/b/c"u8, 0)!;
        Assert.Equal("gw/7/a/b/c", Text(there.Topic));
        Assert.Equal("plant/a/b/c", Text(table.FindIn(there.Topic, 0)!.Topic));
        Assert.Equal(["plant/+/#"], table.LocalFilters.Select(one => one.Filter));
        Assert.Equal(["gw/7/+/#"], table.RemoteFilters.Select(one => one.Filter));
    }

    [Fact]
    public void The_first_route_that_matches_decides_and_what_it_excludes_does_not_go()
    {
        var table = new RouteTable(
            [
                new RouteOptions { Local = "plant/alarm/#", Remote = "alarms/#", Exclude = ["plant/alarm/test/+"], MaximumPayloadBytes = 10 },
                new RouteOptions { Local = "plant/#" },
            ],
            "c");
        Assert.Equal("alarms/fire", Text(table.FindOut("plant/alarm/fire"u8, 10)!.Topic));
        Assert.Null(table.FindOut("plant/alarm/test/1"u8, 1));
        Assert.NotNull(table.FindOut("plant/alarm/fire"u8, 11)!.Excess);
        Assert.Null(table.FindOut("plant/alarm/fire"u8, 10)!.Excess);
        Assert.Equal("plant/x", Text(table.FindOut("plant/x"u8, 11)!.Topic));
        Assert.Null(table.FindOut("other"u8, 0));
        Assert.Null(table.FindIn("plant/x"u8, 0));
    }

    [Fact]
    public void What_is_excluded_does_not_come_in_either()
    {
        var route = new RouteOptions { Direction = RouteDirection.In, Local = "cmd/#", Remote = "c/{client}/#", Exclude = ["cmd/secret"] };
        var table = new RouteTable([route], "gw");
        Assert.Equal(["c/gw/#"], table.RemoteFilters.Select(one => one.Filter));
        Assert.Equal("cmd/x", Text(table.FindIn("c/gw/x"u8, 0)!.Topic));
        Assert.Null(table.FindIn("c/gw/secret"u8, 0));
    }

    [Fact]
    public void A_template_is_no_place_to_come_from()
    {
        var route = new RouteOptions { Direction = RouteDirection.Both, Local = "a/+", Remote = "b/{1}" };
        Assert.Contains("two routes", Assert.Throws<FormatException>(() => new RouteTable([route], "c")).Message, StringComparison.Ordinal);
    }

    private static string? Text(byte[]? topic) => topic is null ? null : Encoding.UTF8.GetString(topic);
}
