namespace EdgeBroker.Protocol;

/// <summary>What the specification says about reason codes: which packet may carry which (2.4), and their 3.1.1 counterparts.</summary>
public static class ReasonCodes
{
    /// <summary>Whether the code reports a failure.</summary>
    public static bool IsError(this ReasonCode code) => (byte)code >= 0x80;

    /// <summary>Whether <paramref name="code"/> stands in the reason code table of <paramref name="packet"/>.</summary>
    public static bool IsAllowedIn(this ReasonCode code, PacketType packet) => packet switch
    {
        PacketType.Connack => code is ReasonCode.Success or ReasonCode.UnspecifiedError or ReasonCode.MalformedPacket or ReasonCode.ProtocolError
            or ReasonCode.ImplementationSpecificError or ReasonCode.UnsupportedProtocolVersion or ReasonCode.ClientIdentifierNotValid
            or ReasonCode.BadUserNameOrPassword or ReasonCode.NotAuthorized or ReasonCode.ServerUnavailable or ReasonCode.ServerBusy
            or ReasonCode.Banned or ReasonCode.BadAuthenticationMethod or ReasonCode.TopicNameInvalid or ReasonCode.PacketTooLarge
            or ReasonCode.QuotaExceeded or ReasonCode.PayloadFormatInvalid or ReasonCode.RetainNotSupported or ReasonCode.QoSNotSupported
            or ReasonCode.UseAnotherServer or ReasonCode.ServerMoved or ReasonCode.ConnectionRateExceeded,
        PacketType.Puback or PacketType.Pubrec => code is ReasonCode.Success or ReasonCode.NoMatchingSubscribers or ReasonCode.UnspecifiedError
            or ReasonCode.ImplementationSpecificError or ReasonCode.NotAuthorized or ReasonCode.TopicNameInvalid or ReasonCode.PacketIdentifierInUse
            or ReasonCode.QuotaExceeded or ReasonCode.PayloadFormatInvalid,
        PacketType.Pubrel or PacketType.Pubcomp => code is ReasonCode.Success or ReasonCode.PacketIdentifierNotFound,
        PacketType.Suback => code is ReasonCode.Success or ReasonCode.GrantedQoS1 or ReasonCode.GrantedQoS2 or ReasonCode.UnspecifiedError
            or ReasonCode.ImplementationSpecificError or ReasonCode.NotAuthorized or ReasonCode.TopicFilterInvalid or ReasonCode.PacketIdentifierInUse
            or ReasonCode.QuotaExceeded or ReasonCode.SharedSubscriptionsNotSupported or ReasonCode.SubscriptionIdentifiersNotSupported
            or ReasonCode.WildcardSubscriptionsNotSupported,
        PacketType.Unsuback => code is ReasonCode.Success or ReasonCode.NoSubscriptionExisted or ReasonCode.UnspecifiedError
            or ReasonCode.ImplementationSpecificError or ReasonCode.NotAuthorized or ReasonCode.TopicFilterInvalid or ReasonCode.PacketIdentifierInUse,
        PacketType.Disconnect => IsAllowedInDisconnect(code),
        PacketType.Auth => code is ReasonCode.Success or ReasonCode.ContinueAuthentication or ReasonCode.ReAuthenticate,
        _ => false,
    };

    /// <summary>Whether a client may send <paramref name="code"/> in DISCONNECT: the table's rows that name the client (3.14.2.1).</summary>
    public static bool IsClientDisconnect(this ReasonCode code) => code is ReasonCode.Success or ReasonCode.DisconnectWithWill
        or ReasonCode.UnspecifiedError or ReasonCode.MalformedPacket or ReasonCode.ProtocolError or ReasonCode.ImplementationSpecificError
        or ReasonCode.TopicNameInvalid or ReasonCode.ReceiveMaximumExceeded or ReasonCode.TopicAliasInvalid or ReasonCode.PacketTooLarge
        or ReasonCode.MessageRateTooHigh or ReasonCode.QuotaExceeded or ReasonCode.AdministrativeAction or ReasonCode.PayloadFormatInvalid;

    /// <summary>
    /// The 3.1.1 CONNACK return code that says the same (3.2.2.3 of 3.1.1), or null where none fits and the connection
    /// is closed without CONNACK [MQTT-3.2.2-6].
    /// </summary>
    public static byte? ToConnectReturnCode(this ReasonCode code) => code switch
    {
        ReasonCode.Success => 0x00,
        ReasonCode.UnsupportedProtocolVersion => 0x01,
        ReasonCode.ClientIdentifierNotValid => 0x02,
        ReasonCode.ServerUnavailable or ReasonCode.ServerBusy or ReasonCode.ConnectionRateExceeded or ReasonCode.QuotaExceeded
            or ReasonCode.UseAnotherServer or ReasonCode.ServerMoved => 0x03,
        ReasonCode.BadUserNameOrPassword => 0x04,
        ReasonCode.NotAuthorized or ReasonCode.Banned => 0x05,
        _ => null,
    };

    /// <summary>The 5.0 code for a 3.1.1 CONNACK return code; unknown ones are <see cref="ReasonCode.UnspecifiedError"/>.</summary>
    public static ReasonCode FromConnectReturnCode(byte returnCode) => returnCode switch
    {
        0x00 => ReasonCode.Success,
        0x01 => ReasonCode.UnsupportedProtocolVersion,
        0x02 => ReasonCode.ClientIdentifierNotValid,
        0x03 => ReasonCode.ServerUnavailable,
        0x04 => ReasonCode.BadUserNameOrPassword,
        0x05 => ReasonCode.NotAuthorized,
        _ => ReasonCode.UnspecifiedError,
    };

    private static bool IsAllowedInDisconnect(ReasonCode code) => code.IsClientDisconnect()
        || code is ReasonCode.NotAuthorized or ReasonCode.ServerBusy or ReasonCode.ServerShuttingDown or ReasonCode.KeepAliveTimeout
            or ReasonCode.SessionTakenOver or ReasonCode.TopicFilterInvalid or ReasonCode.RetainNotSupported or ReasonCode.QoSNotSupported
            or ReasonCode.UseAnotherServer or ReasonCode.ServerMoved or ReasonCode.SharedSubscriptionsNotSupported
            or ReasonCode.ConnectionRateExceeded or ReasonCode.MaximumConnectTime or ReasonCode.SubscriptionIdentifiersNotSupported
            or ReasonCode.WildcardSubscriptionsNotSupported or ReasonCode.BadAuthenticationMethod;
}
