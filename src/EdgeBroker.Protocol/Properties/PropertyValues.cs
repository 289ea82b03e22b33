namespace EdgeBroker.Protocol;

/// <summary>
/// What the specification asks of values: their encoding, strings in UTF-8, and for single properties a range, where a value outside is a protocol error or has
/// a code of its own.
/// </summary>
internal static class PropertyValues
{
    /// <summary>Judges the value at the front of <paramref name="reader"/> and steps behind it.</summary>
    public static bool TrySkip(scoped ref SpanReader reader, PropertyId id, out ParseError error)
    {
        PropertyType type = PropertyTable.TypeOf((byte)id);
        switch (type)
        {
            case PropertyType.Text:
                return reader.TryReadText(out ReadOnlySpan<byte> text, out error)
                    && (id != PropertyId.ResponseTopic || TopicName.IsValid(text)
                        || ParseError.Protocol(out error, "the response topic is empty or holds a wildcard"));
            case PropertyType.TextPair:
                return reader.TryReadText(out _, out error) && reader.TryReadText(out _, out error);
            case PropertyType.Binary:
                error = default;
                return reader.TryReadBinary(out _) || ParseError.Truncated(out error);
            default:
                return reader.TryReadNumber(type, out uint number) ? IsInRange(id, number, out error) : ParseError.Truncated(out error);
        }
    }

    private static bool IsInRange(PropertyId id, uint number, out ParseError error)
    {
        error = default;
        switch (id)
        {
            case PropertyId.PayloadFormatIndicator:
            case PropertyId.RequestProblemInformation:
            case PropertyId.RequestResponseInformation:
            case PropertyId.MaximumQoS:
            case PropertyId.RetainAvailable:
            case PropertyId.WildcardSubscriptionAvailable:
            case PropertyId.SubscriptionIdentifierAvailable:
            case PropertyId.SharedSubscriptionAvailable:
                return number <= 1 || ParseError.Protocol(out error, "a property that is 0 or 1 has another value");
            case PropertyId.ReceiveMaximum:
            case PropertyId.MaximumPacketSize:
            case PropertyId.SubscriptionIdentifier:
                return number != 0
                    || ParseError.Protocol(out error, "Receive Maximum, Maximum Packet Size or Subscription Identifier is 0");
            case PropertyId.TopicAlias:
                return number != 0 || ParseError.Refuse(out error, ReasonCode.TopicAliasInvalid, "the topic alias is 0");
            default:
                return true;
        }
    }
}
