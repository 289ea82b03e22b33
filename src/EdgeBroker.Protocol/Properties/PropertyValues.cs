namespace EdgeBroker.Protocol;

/// <summary>
/// What the specification asks of values beyond their encoding: strings are UTF-8, and single properties have ranges, where a value outside is a protocol
/// error or has a code of its own.
/// </summary>
internal static class PropertyValues
{
    public static bool AreValid(in Property property, out ParseError error)
    {
        error = ParseError.IllFormedText;
        PropertyType type = PropertyTable.TypeOf((byte)property.Id);
        if (type is PropertyType.Text or PropertyType.TextPair && !(Utf8Text.IsValid(property.Name) && Utf8Text.IsValid(property.Value))) return false;
        error = default;
        switch (property.Id)
        {
            case PropertyId.PayloadFormatIndicator:
            case PropertyId.RequestProblemInformation:
            case PropertyId.RequestResponseInformation:
            case PropertyId.MaximumQoS:
            case PropertyId.RetainAvailable:
            case PropertyId.WildcardSubscriptionAvailable:
            case PropertyId.SubscriptionIdentifierAvailable:
            case PropertyId.SharedSubscriptionAvailable:
                error = ParseError.Protocol("a property that is 0 or 1 has another value");
                return property.Number <= 1;
            case PropertyId.ReceiveMaximum:
            case PropertyId.MaximumPacketSize:
            case PropertyId.SubscriptionIdentifier:
                error = ParseError.Protocol("Receive Maximum, Maximum Packet Size or Subscription Identifier is 0");
                return property.Number != 0;
            case PropertyId.TopicAlias:
                error = new ParseError(ReasonCode.TopicAliasInvalid, "the topic alias is 0");
                return property.Number != 0;
            case PropertyId.ResponseTopic:
                error = ParseError.Protocol("the response topic is empty or holds a wildcard");
                return TopicName.IsValid(property.Value);
            default:
                return true;
        }
    }
}
