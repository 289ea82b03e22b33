using System.Text;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// Users, rules or the listener's settings were replaced while the client is connected.
public sealed partial class MqttConnection
{
    private const string NotPermittedAnyMore = "not permitted any more";

    /// <summary>
    /// Judges the client by what is in force now; on the connection's own thread. Whoever may stay keeps connection, session and what is in flight, and has the new permissions from
    /// here on. Whoever may not, or holds a subscription or a will that it could not ask for now, is disconnected with 0x87.
    /// </summary>
    /// <returns>Whether it was disconnected.</returns>
    public bool Review()
    {
        if (_state != State.Connected) return false;
        AuthenticationResult verdict = Judge(_identity);
        if (verdict.Reason != ReasonCode.Success)
        {
            Fail(ReasonCode.NotAuthorized, verdict.Cause ?? NotPermittedAnyMore, told: NotPermittedAnyMore, discardWill: false);
            return true;
        }

        _identity = verdict;
        byte[]? denied = _lease.Session.FindDenied(_lease, verdict.Permissions, out Will? held);
        if (denied is not null)
        {
            Fail(ReasonCode.NotAuthorized, $"may not receive \"{Encoding.UTF8.GetString(denied)}\" any more: {WhyNotSubscribe(denied)}", told: NotPermittedAnyMore, discardWill: false);
            return true;
        }

        if (held?.Message is not { } will || MayPublish(will.Topic, will.QoS, will.Retain)) return false;
        Fail(ReasonCode.NotAuthorized, "may not publish its will any more: " + WhyNotPublish(will.Topic, will.QoS, will.Retain), told: NotPermittedAnyMore, discardWill: true);
        return true;
    }

    private AuthenticationResult Judge(AuthenticationResult identity) => identity.UserName is null && !_endpoint.AnonymousAllowed
        ? AuthenticationResult.Refused(ReasonCode.NotAuthorized, "anonymous, and the listener does not let anonymous clients in any more")
        : _endpoint.Authenticator.Review(identity);

    private string WhyNotSubscribe(ReadOnlySpan<byte> filter) => _identity.Permissions.JudgeSubscribe(TopicsOf(filter)).Cause;

    // The filter without $share/group/.
    private static ReadOnlySpan<byte> TopicsOf(ReadOnlySpan<byte> filter) => TopicFilter.TrySplitShared(filter, out _, out ReadOnlySpan<byte> shared) ? shared : filter;
}
