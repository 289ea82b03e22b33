using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Core.Tests.Events;

public sealed class BrokerEventsTests
{
    private const EventKinds All = (EventKinds)((1 << 19) - 1);

    private static readonly EventKinds[] Kinds = [.. Enum.GetValues<EventKinds>().Where(kind => kind != EventKinds.None)];
    private static readonly InvalidTimeZoneException Bug = new("a bug");

    private readonly BrokerLimits _limits = new Bench().Broker.Limits;
    private readonly Session _receiver = Loose.Session("c");

    [Fact]
    public void Each_kind_has_a_method_and_reaches_those_who_want_it_and_nobody_else()
    {
        EventSheet[] sheets = [.. Kinds.Select(kind => new EventSheet(kind))];
        var all = new EventSheet(All);
        var events = new BrokerEvents([.. sheets, all]);
        foreach (EventKinds kind in Kinds) Raise(events, kind);
        Assert.Equal(Kinds, all.Kinds);
        for (int i = 0; i < Kinds.Length; i++) Assert.Equal([Kinds[i]], sheets[i].Kinds);
        Assert.Equal(All, Kinds.Aggregate((one, other) => one | other));
    }

    [Fact]
    public void What_nobody_wants_costs_no_call_and_no_memory()
    {
        var sheet = new EventSheet(EventKinds.Fault);
        var events = new BrokerEvents(sheet);
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 1_000; i++)
            {
                for (int bit = 0; bit < 17; bit++) Raise(events, (EventKinds)(1 << bit));
            }
        }));
        Assert.Empty(sheet.Kinds);
        for (int bit = 0; bit < 17; bit++) Assert.False(events.Wants((EventKinds)(1 << bit)));
        Assert.True(events.Wants(EventKinds.Fault));
    }

    [Fact]
    public void To_tell_of_a_message_allocates_nothing()
    {
        var counter = new CountingSink();
        var bench = new Bench();
        bench.Broker.Events.Add(counter);
        bench.Connect("c");
        byte[] topic = "a/b"u8.ToArray();
        int published = 0;
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 1_000; i++, published++) bench.Broker.Publish(new Publication { Topic = topic, Payload = topic }, bench.Context);
        }));
        Assert.Equal(published, counter.Published);
    }

    [Fact]
    public void A_sink_that_throws_costs_only_itself()
    {
        var first = new EventSheet(All);
        var last = new EventSheet(All);
        var events = new BrokerEvents(first, new EventSheet(All) { Throws = true }, last);
        events.SessionEnded("c");
        // The one that failed fails over its own fault as well.
        Assert.Equal([EventKinds.SessionEnded, EventKinds.Fault], first.Kinds);
        Assert.Equal([EventKinds.Fault, EventKinds.SessionEnded], last.Kinds);
        Assert.Equal("telling EventSheet of SessionEnded", Assert.Single(first.Lines));
        Assert.Equal(2, events.Faults);
    }

    [Fact]
    public void Who_does_not_want_to_hear_any_more_does_not()
    {
        var events = new BrokerEvents();
        var sheet = new EventSheet(EventKinds.SessionEnded);
        IDisposable first = events.Add(sheet), second = events.Add(sheet);
        events.SessionEnded("c");
        Assert.Equal(2, sheet.Kinds.Count);
        first.Dispose();
        first.Dispose();
        events.SessionEnded("c");
        Assert.Equal(3, sheet.Kinds.Count);
        second.Dispose();
        Assert.False(events.Wants(EventKinds.SessionEnded));
    }

    private void Raise(BrokerEvents events, EventKinds kind)
    {
        var client = new ClientDescription("c", null, "10.0.0.1:1", "l", "tcp", ProtocolVersion.V5, 0);
        switch (kind)
        {
            case EventKinds.ClientConnected: events.ClientConnected(new ConnectedEvent(client, false, true, 0, null)); break;
            case EventKinds.ClientDisconnected:
                events.ClientDisconnected(new DisconnectedEvent(client, DisconnectedBy.Client, ReasonCode.Success, "", 0, false, false));
                break;
            case EventKinds.SessionTakenOver: events.SessionTakenOver(new TakenOverEvent(client, "", true)); break;
            case EventKinds.SessionEnded: events.SessionEnded("c"); break;
            case EventKinds.ConnectRefused: events.ConnectRefused(new ConnectRefusedEvent("", null, ReasonCode.NotAuthorized, "")); break;
            case EventKinds.AuthenticationSucceeded:
                events.AuthenticationSucceeded(new AuthenticationSucceededEvent(client, AuthenticationMethod.Password));
                break;
            case EventKinds.AuthenticationFailed:
                events.AuthenticationFailed(new AuthenticationFailedEvent(client, AuthenticationMethod.Password, ReasonCode.NotAuthorized, null));
                break;
            case EventKinds.SubscriptionCreated: events.SubscriptionCreated(new SubscriptionCreatedEvent { ClientId = "c", Filter = "f"u8 }); break;
            case EventKinds.SubscriptionRemoved: events.SubscriptionRemoved(new SubscriptionRemovedEvent { ClientId = "c", Filter = "f"u8 }); break;
            case EventKinds.SubscribeRefused:
                events.SubscribeRefused(new RefusedEvent { ClientId = "c", Topic = "f"u8, Reason = ReasonCode.NotAuthorized });
                break;
            case EventKinds.PublishRefused:
                events.PublishRefused(new RefusedEvent { ClientId = "c", Topic = "t"u8, Reason = ReasonCode.NotAuthorized });
                break;
            case EventKinds.MessagePublished: events.MessagePublished(new Publication { Topic = "t"u8 }); break;
            case EventKinds.MessageFollowed:
                events.MessageAcknowledged(new AcknowledgedEvent(new MessagePassage(null, QoS.AtMostOnce), 0, 0, false, ReasonCode.Success));
                break;
            case EventKinds.MessageDelivered: events.MessageDelivered(new DeliveredEvent { Message = default, To = _receiver }); break;
            case EventKinds.MessageRetained:
                events.MessageRetained(new RetainedEvent { Message = new Publication { Topic = "t"u8 }, Change = RetainedChange.Set });
                break;
            case EventKinds.MessagesDropped: events.MessagesDropped(new DroppedEvent("c", DropReason.QueueFull, 1)); break;
            case EventKinds.LimitReached: events.LimitReached(new LimitReachedEvent(LimitKind.MaxMemory, LimitAction.Refused, "c", _limits)); break;
            case EventKinds.MemoryStageChanged: events.MemoryStageChanged(new MemoryStageEvent(MemoryStage.Normal, 0, 0)); break;
            case EventKinds.Fault: events.Fault(Bug, "here"); break;
            default: throw new ArgumentOutOfRangeException(nameof(kind), kind, "A kind needs a method.");
        }
    }

    private sealed class CountingSink : BrokerEventSink
    {
        public override EventKinds Wanted => EventKinds.MessagePublished;

        public int Published { get; private set; }

        public override void MessagePublished(in Publication message) => Published++;
    }
}
