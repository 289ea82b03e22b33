using System.Text;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Events;

/// <summary>Reason strings: what a person at the other end reads.</summary>
public static class ReasonText
{
    /// <summary>A phrase for a reason code, UTF-8.</summary>
    public static ReadOnlySpan<byte> Of(ReasonCode reason) => reason switch
    {
        ReasonCode.NotAuthorized => "not permitted"u8,
        ReasonCode.PayloadFormatInvalid => "the payload is not the UTF-8 its Payload Format Indicator promises"u8,
        ReasonCode.QuotaExceeded => "a limit of the broker is reached"u8,
        ReasonCode.PacketIdentifierNotFound => "the packet identifier is not in use"u8,
        ReasonCode.TopicFilterInvalid => "the filter has too many levels"u8,
        ReasonCode.SessionTakenOver => "another connection uses this client id"u8,
        ReasonCode.ServerShuttingDown => "the broker is stopping"u8,
        ReasonCode.KeepAliveTimeout => "nothing was heard within one and a half times the keep alive"u8,
        ReasonCode.UnspecifiedError => "an internal error of the broker"u8,
        ReasonCode.AdministrativeAction => "ended by an administrator"u8,
        _ => "refused"u8,
    };

    /// <summary>The same as a string.</summary>
    public static string For(ReasonCode reason) => Encoding.UTF8.GetString(Of(reason));

    /// <summary>A reason code for logs, with the name that MQTT 5.0 gives it: <c>0x87 not authorized</c>.</summary>
    public static string Coded(ReasonCode reason)
    {
        var text = new StringBuilder($"0x{(byte)reason:X2}");
        if (!Enum.IsDefined(reason)) return text.ToString();
        text.Append(' ');
        bool isFirst = true;
        foreach (char letter in reason.ToString().Replace("QoS", "Qos", StringComparison.Ordinal))
        {
            if (char.IsUpper(letter) && !isFirst) text.Append(' ');
            text.Append(char.ToLowerInvariant(letter));
            isFirst = false;
        }

        return text.ToString();
    }

    /// <summary>What a client that is not let in is told: nothing that helps to guess, but what it did wrong as a program.</summary>
    public static string Of(AuthenticationResult verdict) => verdict.Reason switch
    {
        ReasonCode.ServerBusy => "busy: try again later",
        ReasonCode.ConnectionRateExceeded => "busy: a limit of the broker is reached; try again later",
        ReasonCode.BadAuthenticationMethod or ReasonCode.ProtocolError when verdict.Cause is { } cause => cause,
        _ => "not let in: no valid credentials",
    };
}
