using EdgeBroker.Protocol;

namespace EdgeBroker.Client;

/// <summary>For every reason code a sentence that says what it means and what to do.</summary>
public static class ReasonAdvice
{
    /// <summary>The sentence for <paramref name="reason"/>.</summary>
    public static string For(ReasonCode reason) => reason switch
    {
        ReasonCode.NoMatchingSubscribers => "The server took the message, but nobody has subscribed to its topic.",
        ReasonCode.NoSubscriptionExisted => "There was no such subscription to end.",
        ReasonCode.MalformedPacket => "The server could not read a packet; look for a proxy that alters the stream, or report a bug.",
        ReasonCode.ProtocolError => "The server says that the protocol was broken; compare the versions of client and server, or report a bug.",
        ReasonCode.ImplementationSpecificError => "The request is valid, but this server does not accept it; its log should say why.",
        ReasonCode.UnsupportedProtocolVersion => "The server does not speak this MQTT version; try the other one (-V 311 or -V 5).",
        ReasonCode.ClientIdentifierNotValid =>
            "The server does not accept this client id; choose another (many servers allow only 1 to 23 letters and digits).",
        ReasonCode.BadUserNameOrPassword => "User name or password is wrong; check both here and in the server's password file.",
        ReasonCode.NotAuthorized => "Not authorized; give a user name and password, or ask for the permission in the server's access list.",
        ReasonCode.ServerUnavailable => "The server is not available at the moment; try again later.",
        ReasonCode.ServerBusy => "The server is busy; try again later.",
        ReasonCode.Banned => "The server has banned this client; its administrator can lift the ban.",
        ReasonCode.ServerShuttingDown => "The server is shutting down; connect again when it is back.",
        ReasonCode.BadAuthenticationMethod => "The server does not offer this authentication method.",
        ReasonCode.KeepAliveTimeout => "The server heard nothing for one and a half keep-alive intervals; check the link, or raise the keep-alive.",
        ReasonCode.SessionTakenOver => "Another client has connected with the same client id; give every client an id of its own.",
        ReasonCode.TopicFilterInvalid => "The server does not accept this topic filter; check the places of + and #.",
        ReasonCode.TopicNameInvalid => "The server does not accept this topic name; it must not hold + or #, and some names are reserved.",
        ReasonCode.PacketIdentifierInUse => "The packet identifier is in use on the server; reconnect with a clean session.",
        ReasonCode.PacketIdentifierNotFound => "The server has forgotten the packet identifier; the sessions on both sides differ.",
        ReasonCode.ReceiveMaximumExceeded => "More messages were in flight than the receiver allows.",
        ReasonCode.TopicAliasInvalid => "The topic alias is not one that was agreed on.",
        ReasonCode.PacketTooLarge => "The packet is larger than the receiver accepts; send a smaller message or raise the limit there.",
        ReasonCode.MessageRateTooHigh => "Messages come faster than the server allows; publish more slowly or raise the limit there.",
        ReasonCode.QuotaExceeded => "A quota of the server is used up; wait, or raise the quota there.",
        ReasonCode.AdministrativeAction => "An administrator has closed the connection.",
        ReasonCode.PayloadFormatInvalid => "The payload is not the UTF-8 text it is declared to be.",
        ReasonCode.RetainNotSupported => "The server does not keep retained messages; publish without retain.",
        ReasonCode.QoSNotSupported => "The server does not support this QoS; use a lower one.",
        ReasonCode.UseAnotherServer => "The server asks to use another server for now.",
        ReasonCode.ServerMoved => "The server has moved for good; change the address.",
        ReasonCode.SharedSubscriptionsNotSupported => "The server does not support shared subscriptions; subscribe without $share.",
        ReasonCode.ConnectionRateExceeded => "Connections come faster than the server allows; wait before connecting again.",
        ReasonCode.MaximumConnectTime => "The longest time allowed for a connection is over; connect again.",
        ReasonCode.SubscriptionIdentifiersNotSupported => "The server does not support subscription identifiers; subscribe without one.",
        ReasonCode.WildcardSubscriptionsNotSupported => "The server does not support wildcards in subscriptions; subscribe to single topics.",
        ReasonCode.DisconnectWithWill => "Disconnected; the will is to be published.",
        _ => reason.IsError() ? "The server gives no reason; its log may say more." : "Success.",
    };
}
