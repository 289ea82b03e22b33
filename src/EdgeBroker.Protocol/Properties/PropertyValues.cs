namespace EdgeBroker.Protocol;

/// <summary>
/// What the specification asks of values beyond their encoding: strings are UTF-8, and single properties have ranges, where a value outside is a protocol
/// error or has a code of its own.
/// </summary>
internal static class PropertyValues
{
    public static bool AreValid(in Property property, out ParseError error)
    {
        PropertyType type = PropertyTable.TypeOf((byte)property.Id);
        if (type is PropertyType.Text or PropertyType.TextPair && !(Utf8Text.IsValid(property.Name) && Utf8Text.IsValid(property.Value)))
            return ParseError.IllFormedText(out error);
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
                return property.Number <= 1 || ParseError.Protocol(out error, "a property that is 0 or 1 has another value");
            case PropertyId.ReceiveMaximum:
            case PropertyId.MaximumPacketSize:
            case PropertyId.SubscriptionIdentifier:
                return property.Number != 0
                    || ParseError.Protocol(out error, "Receive Maximum, Maximum Packet Size or Subscription Identifier is 0");
            case PropertyId.TopicAlias:
                return property.Number != 0 || ParseError.Refuse(out error, ReasonCode.TopicAliasInvalid, "the topic alias is 0");
            case PropertyId.ResponseTopic:
                return TopicName.IsValid(property.Value) || ParseError.Protocol(out error, "the response topic is empty or holds a wildcard");
            default:
                return true;
        }
    }
}
