using EdgeBroker.Protocol.Scram;

namespace EdgeBroker.Protocol.Tests.Scram;

public class SaslPrepTests
{
    [Theory]
    [InlineData("user", "user")]
    [InlineData("USER", "USER")]
    [InlineData(" ~!\"#$%&'()*+,-./", " ~!\"#$%&'()*+,-./")]
    [InlineData("I\u00ADX", "IX")]
    [InlineData("\uFEFFa\u200Db\uFE0F", "ab")]
    [InlineData("a\u00A0b\u3000c\u2003d", "a b c d")]
    [InlineData("grün ß ÅÉ ñ", "grün ß ÅÉ ñ")]
    [InlineData("Ελλάδα Москва Tiếng Việt", "Ελλάδα Москва Tiếng Việt")]
    [InlineData("日本語 한국", "日本語 한국")]
    [InlineData("\u05D0\u05D1\u05D2", "\u05D0\u05D1\u05D2")]
    [InlineData("\u0627 12-3 \u0628", "\u0627 12-3 \u0628")]
    public void Text_that_needs_no_normalisation_is_prepared(string text, string expected)
    {
        Assert.True(SaslPrep.TryPrepare(text, out string prepared));
        Assert.Equal(expected, prepared);
        Assert.True(SaslPrep.TryPrepare(prepared, out string again));
        Assert.Equal(prepared, again);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("\u00AD", "nothing left")]
    [InlineData("a\u0007", "ASCII control (C.2.1)")]
    [InlineData("a\u007F", "DEL (C.2.1)")]
    [InlineData("a\u0000", "zero")]
    [InlineData("a\u0085", "other control (C.2.2)")]
    [InlineData("a\uE000", "private use (C.3)")]
    [InlineData("a\uFFFE", "no character (C.4)")]
    [InlineData("a\uD800", "half a surrogate pair (C.5)")]
    [InlineData("a\uFFFD", "not plain (C.6)")]
    [InlineData("a\u2FF0", "not canonical (C.7)")]
    [InlineData("a\u202E", "changes display (C.8)")]
    [InlineData("a\u200B", "space and nothing at once")]
    [InlineData("\u00AA", "the RFC has a here")]
    [InlineData("\u2168", "the RFC has IX here")]
    [InlineData("\uFB01", "ligature")]
    [InlineData("\uFF21", "full width")]
    [InlineData("u\u0308", "accent apart")]
    [InlineData("\u1100\u1161", "Hangul apart")]
    [InlineData("\U0001F600", "not in Unicode 3.2")]
    [InlineData("\u06271", "ends from left to right (RFC 4013, 3)")]
    [InlineData("1\u0627", "begins from left to right")]
    [InlineData("\u0627a\u0628", "both directions")]
    [InlineData("\u0627ä\u0628", "both directions")]
    public void Everything_else_is_refused(string text, string why)
    {
        Assert.False(SaslPrep.TryPrepare(text, out string prepared), why);
        Assert.Equal("", prepared);
    }
}
