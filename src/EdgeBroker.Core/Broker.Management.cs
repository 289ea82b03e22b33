using EdgeBroker.Core.Events;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Messages;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core;

// What is done to it from outside, on threads that serve no client.
public sealed partial class Broker
{
    /// <summary>Closes a client's connection, and ends its session if nothing is to be kept of it.</summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="reason">What a 5.0 client hears.</param>
    /// <param name="forget">Whether its session ends as well.</param>
    /// <param name="publishWill">Of a session that ends: whether its will is published. One that stays has its will published as after any other end.</param>
    /// <param name="connection">The number of the connection that is meant; null: any.</param>
    public KickOutcome Kick(string clientId, ReasonCode reason, bool forget, bool publishWill, string? connection = null)
    {
        if (FindSession(clientId) is not { } session) return KickOutcome.NotFound;
        using LocalCall call = BeginLocalCall();
        if (!forget)
        {
            return session.Close(reason, connection, out bool isOther) ? KickOutcome.Disconnected
                : isOther ? KickOutcome.ChangedMeanwhile : KickOutcome.NotConnected;
        }

        if (session.End(onlyIfDetached: false, connection, out bool hasChanged) is not { } ending)
        {
            return hasChanged ? KickOutcome.ChangedMeanwhile : KickOutcome.NotFound;
        }

        Finish(session, publishWill ? ending : ending with { Will = null }, call.Context, reason);
        return KickOutcome.Forgotten;
    }

    /// <summary>Deletes the retained message of a topic, and has subscribers hear of it as they do of a client's deletion: by an empty message.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="completion">What is to be on disk before it is gone for good; null: nothing.</param>
    /// <returns>Whether there was one.</returns>
    internal bool DeleteRetained(byte[] topic, out Completion? completion)
    {
        QoS qos = Retained.Get(topic)?.QoS ?? QoS.AtMostOnce;
        completion = Retained.Delete(topic, out bool isFound);
        if (!isFound) return false;
        var deletion = new Publication { Topic = topic, QoS = qos, Retain = true, IsBrokersOwn = true };
        TellRetained(deletion, RetainedChange.Deleted);
        using LocalCall call = BeginLocalCall();
        PublishOutcome outcome = Publish(deletion, call.Context);
        completion = Completion.Both(completion, outcome.Completion);
        return true;
    }
}
