using System.Text;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

// Users, rules or the listener's settings were replaced while the client is connected.
public sealed partial class MqttConnection
{
    private const string NotPermittedAnyMore = "not permitted any more";

    /// <summary>
    /// Whoever may stay keeps connection, session and what is in flight, and has the new permissions from here on. Whoever may not, or holds a subscription or
    /// a will that it could not ask for now, is disconnected with 0x87.
    /// </summary>
    /// <returns>Whether it was disconnected.</returns>
    public bool Review()
    {
        if (!IsConnected) return false;
        try
        {
            return MustGo();
        }
        catch (Exception exception)
        {
            // A client must not keep rights that could not be judged.
            Broker.ReportFault(exception, "reviewing " + Lease.Session.Id);
            Fail(ReasonCode.UnspecifiedError, ReasonText.For(ReasonCode.UnspecifiedError));
            return true;
        }
    }

    private bool MustGo()
    {
        if (Transport.FindIdentityObjection() is { } objection)
        {
            Fail(ReasonCode.NotAuthorized, NotPermittedAnyMore, logged: objection);
            return true;
        }

        AuthenticationResult verdict = Endpoint.Judge(_principal.Identity, Lease.Session.Id);
        if (verdict.Reason != ReasonCode.Success)
        {
            Fail(ReasonCode.NotAuthorized, NotPermittedAnyMore, logged: verdict.Cause);
            return true;
        }

        _principal = _principal.With(verdict);
        if (FindDenied(verdict.Permissions, out bool discardWill) is not { } cause) return false;
        Fail(ReasonCode.NotAuthorized, NotPermittedAnyMore, logged: cause, discardWill);
        return true;
    }

    /// <summary>Looks for a subscription or a will of the session that its client could not ask for under these permissions.</summary>
    /// <param name="permissions">The permissions it has from now on.</param>
    /// <param name="discardWill">Whether the will is not permitted: it must not go out because the connection ends over that.</param>
    /// <returns>What and why, for the log; null: all is permitted.</returns>
    private string? FindDenied(Permissions permissions, out bool discardWill)
    {
        byte[]? denied = Lease.Session.FindDenied(Lease, permissions, out Will? held);
        Message? will = held?.Message;
        discardWill = will is not null && !permissions.MayPublish(will.Topic, will.QoS, will.Retain);
        if (denied is not null) return $"may not receive \"{Encoding.UTF8.GetString(denied)}\" any more: {permissions.JudgeSubscribe(TopicsOf(denied)).Cause}";
        return discardWill ? "may not publish its will any more: " + permissions.JudgePublish(will!.Topic, will.QoS, will.Retain).Cause : null;
    }

    // The filter without $share/group/.
    private static ReadOnlySpan<byte> TopicsOf(ReadOnlySpan<byte> filter) =>
        TopicFilter.TrySplitShared(filter, out _, out ReadOnlySpan<byte> shared) ? shared : filter;
}
