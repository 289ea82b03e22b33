using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Routing;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core;

// Exceptions that nobody expected. A bug while a message is delivered is the receiver's: it loses its connection, the publisher and all others go on.
public sealed partial class Broker
{
    /// <summary>Exceptions that were bugs, since the start.</summary>
    public long Faults => Events.Faults;

    /// <summary>Counts and reports an exception that is a bug. Whoever has caught it ends what it happened to.</summary>
    /// <param name="exception">The exception.</param>
    /// <param name="where">What was being done, and for whom.</param>
    public void ReportFault(Exception exception, string where) => Events.Fault(exception, where);

    /// <summary>
    /// An exception has ended the routing of a message: those who have taken it wait for what it leaves on disk, and its publisher sends it again.
    /// </summary>
    private void Abandon(in Publication publication, RoutingContext context)
    {
        if (publication.ReceivedId != 0) ((Session)publication.Publisher!).ForgetReceived(publication.ReceivedId);
        RecordPublish(publication with { ReceivedId = 0 }, null, context, ReasonCode.UnspecifiedError);
        ConcludeIsolated(context);
    }

    private DeliveryOutcome DeliverTo(Subscription to, in Publication publication, RoutingContext context)
    {
        DeliveryOutcome outcome;
        try
        {
            outcome = to.Receiver.Deliver(publication, to, context);
        }
        catch (Exception exception)
        {
            Isolate(to.Receiver, exception, context);
            outcome = DeliverAgain(to, publication, context);
        }

        if (Events.WantsDelivery(publication.Passage)) TellSent(publication, to, outcome);
        return outcome;
    }

    /// <summary>What is to be acknowledged must not get lost over a bug: unless the receiver has it already, it goes into its queue.</summary>
    private DeliveryOutcome DeliverAgain(Subscription to, in Publication publication, RoutingContext context)
    {
        if (publication.QoS == QoS.AtMostOnce || to.Options.MaximumQoS == QoS.AtMostOnce) return DeliveryOutcome.DroppedFor(DropReason.Fault);
        try
        {
            return context.Owned is { } message && to.Receiver.Holds(message) ? DeliveryOutcome.Sent : to.Receiver.Deliver(publication, to, context);
        }
        catch (Exception exception)
        {
            ReportFault(exception, "delivering once more to " + to.Receiver.Id);
            return new DeliveryOutcome(DeliveryResult.Refused, 1, DropReason.Fault);
        }
    }

    /// <summary>
    /// Takes from a receiver that failed what it delivers to. The connection is closed, and all that follows from that is done, when nothing is being routed
    /// any more.
    /// </summary>
    private void Isolate(Receiver receiver, Exception exception, RoutingContext context)
    {
        ReportFault(exception, "delivering to " + receiver.Id);
        ISessionLink? link = null;
        Detachment detachment = default;
        try
        {
            receiver.Recover(out link, out detachment);
        }
        catch (Exception second)
        {
            ReportFault(second, "taking the connection from " + receiver.Id);
        }

        if (link is not null) context.Isolated.Enqueue(((Session)receiver, link, detachment));
    }

    private void ConcludeIsolated(RoutingContext context)
    {
        while (context.Isolated.TryDequeue(out (Session Session, ISessionLink Link, Detachment Detachment) one))
        {
            try
            {
                one.Link.Close(ReasonCode.UnspecifiedError);
                if (one.Detachment.Link is null) continue;
                Disconnection end = Conclude(one.Session, one.Detachment.Link, one.Detachment, context);
                TellDisconnected(one.Session.Id, one.Session.UserName, one.Link, ReasonCode.UnspecifiedError, end);
            }
            catch (Exception exception)
            {
                ReportFault(exception, "closing the connection of " + one.Session.Id);
            }
        }
    }
}
