namespace EdgeBroker.Coap.Codec;

/// <summary>The rules of the options, as data: the lengths a value may have, and whether it may stand twice (RFC 7252, table 4 and its successors).</summary>
public static class OptionTable
{
    /// <summary>Whether a message with this option must be refused by who does not know it (RFC 7252, 5.4.1).</summary>
    public static bool IsCritical(int number) => (number & 1) != 0;

    /// <summary>Whether an option is known.</summary>
    public static bool IsKnown(int number) => RuleOf(number).MaxLength >= 0;

    /// <summary>Whether an option may stand more than once.</summary>
    public static bool MayRepeat(int number) => RuleOf(number).Repeats;

    /// <summary>Whether an option is known and its value of a length it may have; others are as if unknown (RFC 7252, 5.4.3).</summary>
    public static bool IsWellFormed(int number, int length)
    {
        Rule rule = RuleOf(number);
        return length >= rule.MinLength && length <= rule.MaxLength;
    }

    private static Rule RuleOf(int number) => (OptionNumber)number switch
    {
        OptionNumber.IfMatch => new Rule(0, 8, true),
        OptionNumber.UriHost => new Rule(1, 255, false),
        OptionNumber.ETag => new Rule(1, 8, true),
        OptionNumber.IfNoneMatch => new Rule(0, 0, false),
        OptionNumber.Observe => new Rule(0, 3, false),
        OptionNumber.UriPort or OptionNumber.ContentFormat or OptionNumber.Accept => new Rule(0, 2, false),
        OptionNumber.LocationPath or OptionNumber.UriPath or OptionNumber.UriQuery or OptionNumber.LocationQuery => new Rule(0, 255, true),
        OptionNumber.MaxAge or OptionNumber.Size1 or OptionNumber.Size2 => new Rule(0, 4, false),
        OptionNumber.Block1 or OptionNumber.Block2 => new Rule(0, 3, false),
        OptionNumber.ProxyUri => new Rule(1, 1034, false),
        OptionNumber.ProxyScheme => new Rule(1, 255, false),
        OptionNumber.Echo => new Rule(1, 40, false),
        OptionNumber.NoResponse => new Rule(0, 1, false),
        OptionNumber.RequestTag => new Rule(0, 8, true),
        _ => new Rule(0, -1, false),
    };

    private readonly record struct Rule(int MinLength, int MaxLength, bool Repeats);
}
