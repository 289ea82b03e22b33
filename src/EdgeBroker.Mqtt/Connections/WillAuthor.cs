using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Protocol;

namespace EdgeBroker.Mqtt.Connections;

/// <summary>The client of a will, as it was let in, and judged anew when the will is due.</summary>
/// <param name="endpoint">Where it came in.</param>
/// <param name="identity">What it was let in with.</param>
/// <param name="clientId">Its client id.</param>
internal sealed class WillAuthor(MqttEndpoint endpoint, AuthenticationResult identity, string clientId) : IWillAuthor
{
    /// <inheritdoc/>
    public string? FindObjection(Message will)
    {
        AuthenticationResult verdict = endpoint.Judge(identity, clientId);
        // Who is not known any more still has a device, and the will says that it is gone.
        if (verdict.Reason != ReasonCode.Success || verdict.Permissions.MayPublish(will.Topic, will.QoS, will.Retain)) return null;
        return verdict.Permissions.JudgePublish(will.Topic, will.QoS, will.Retain).Cause;
    }
}
