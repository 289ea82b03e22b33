using EdgeBroker.Http.Routing;

namespace EdgeBroker.Http.Tests.Routing;

/// <summary>What is asked for is split before it is decoded, and decoded once.</summary>
public sealed class RequestTargetTests
{
    [Theory]
    [InlineData("plant%2Fpress%207%25", "plant/press 7%")]
    [InlineData("%252F", "%2F")]
    [InlineData("a+b", "a+b")]
    [InlineData("%2B%23", "+#")]
    [InlineData("%E2%82%AC", "€")]
    [InlineData("..", "..")]
    public void A_segment_is_decoded_once(string raw, string text)
    {
        RequestTarget target = RequestTarget.Parse("/api/v1/sessions/" + raw);
        Assert.Equal(text, RequestTarget.Decode(Assert.Single(target.Segments[3..])));
    }

    [Theory]
    [InlineData("%")]
    [InlineData("%2")]
    [InlineData("%zz")]
    [InlineData("%00")]
    [InlineData("%FF")]
    [InlineData("%C0%AF")]
    [InlineData("%ED%A0%80")]
    [InlineData("é")]
    public void What_is_no_text_is_refused(string raw)
    {
        HttpProblem problem = Assert.Throws<HttpProblem>(() => RequestTarget.Decode(raw));
        Assert.Equal("invalid-path", problem.Kind.Name);
    }

    [Fact]
    public void Every_text_comes_back_as_it_was()
    {
        var random = new Random(7);
        for (int i = 0; i < 5_000; i++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(1, 12)).Select(_ => char.ConvertFromUtf32(random.Next(4) switch
            {
                0 => random.Next(1, 0x80),
                1 => random.Next(0x80, 0xD800),
                2 => random.Next(0xE000, 0x110000),
                _ => "/%+#.?&="[random.Next(8)],
            })));
            RequestTarget target = RequestTarget.Parse("/a/" + Uri.EscapeDataString(text) + "?t=" + Uri.EscapeDataString(text));
            Assert.Equal(text, RequestTarget.Decode(Assert.Single(target.Segments[1..])));
            Assert.Equal(text, Assert.Single(target.Query).Value);
        }
    }

    [Fact]
    public void A_query_is_a_form()
    {
        RequestTarget target = RequestTarget.Parse("/a?one=x+y&two=%2B&three&one=z");
        Assert.Equal(["one=x y", "two=+", "three=", "one=z"], target.Query.Select(pair => $"{pair.Name}={pair.Value}"));
    }

    [Fact]
    public void The_absolute_form_is_understood() => Assert.Equal("/ready", RequestTarget.Parse("http://gw:8080/ready").Path);
}
