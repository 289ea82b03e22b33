namespace EdgeBroker.Crash.Tests.History;

/// <summary>Reads a history and finds the promises that were broken.</summary>
public sealed class Judge
{
    private readonly RunHistory _history;
    private readonly HistoryEvent[] _events;
    private readonly List<Violation> _violations = [];
    private readonly List<Subscription> _subscriptions = [];
    private readonly Dictionary<int, List<Subscription>> _byClient = [];
    private readonly Dictionary<(string Filter, string Topic), bool> _matches = [];
    private readonly int[] _sentAt;
    private readonly int[] _acknowledgedAt;
    private readonly Dictionary<(int Client, int Message), List<int>> _deliveries = [];

    // Where a message went over a bridge's link for the first time.
    private readonly Dictionary<int, int> _forwardedAt = [];
    private int _owed;

    private Judge(RunHistory history)
    {
        _history = history;
        _events = history.Events;
        _sentAt = new int[history.Messages.Count];
        _acknowledgedAt = new int[history.Messages.Count];
        Array.Fill(_acknowledgedAt, Subscription.Never);
    }

    /// <summary>Judges a history at whose end everything has been given time to arrive.</summary>
    /// <param name="history">What happened.</param>
    public static Verdict Of(RunHistory history)
    {
        var judge = new Judge(history);
        judge.Read();
        judge.JudgeDeliveries();
        judge.JudgeOrder();
        judge.JudgeSharedGroups();
        RetainedJudge.Judge(judge._events, history, judge._sentAt, judge._acknowledgedAt, judge._violations);
        int acknowledged = judge._acknowledgedAt.Count(at => at != Subscription.Never);
        int delivered = judge._deliveries.Count;
        int repeated = judge._deliveries.Values.Sum(places => places.Count - 1);
        return new Verdict(judge._violations, history.Messages.Count, acknowledged, judge._owed, delivered, repeated);
    }

    private void Read()
    {
        var acknowledgedSessions = new HashSet<int>();
        for (int at = 0; at < _events.Length; at++)
        {
            HistoryEvent e = _events[at];
            switch (e.Kind)
            {
                case EventKind.PublishSent:
                    _sentAt[e.Message] = at;
                    break;
                case EventKind.Acknowledged or EventKind.Received or EventKind.Completed:
                    _acknowledgedAt[e.Message] = Math.Min(_acknowledgedAt[e.Message], at);
                    if (e.Kind == EventKind.Received) acknowledgedSessions.Add(e.Client);
                    break;
                case EventKind.Connected when e.Number == 0 && acknowledgedSessions.Contains(e.Client):
                    Report(Promise.SessionPresent, at, "its session is gone");
                    break;
                case EventKind.Forwarded:
                    _forwardedAt.TryAdd(e.Message, at);
                    break;
                case EventKind.Delivered:
                    ReadDelivery(at, e);
                    break;
                case EventKind.BrokerFailed:
                    Report(Promise.Runs, at, e.Text);
                    break;
                case EventKind.ConnectRefused or EventKind.ProtocolBroken:
                    Report(Promise.Protocol, at, e.Text);
                    break;
                default:
                    ReadSubscription(at, e, acknowledgedSessions);
                    break;
            }
        }
    }

    private void ReadSubscription(int at, in HistoryEvent e, HashSet<int> acknowledgedSessions)
    {
        switch (e.Kind)
        {
            case EventKind.SubscribeSent when Current(e) is null:
                var subscription = new Subscription(e.Client, e.Text, e.Number, at);
                _subscriptions.Add(subscription);
                SubscriptionsOf(e.Client).Add(subscription);
                break;
            case EventKind.Subscribed when Current(e) is { } granted:
                granted.Granted = Math.Min(granted.Granted, at);
                acknowledgedSessions.Add(e.Client);
                break;
            case EventKind.UnsubscribeSent when Current(e) is { } ending:
                ending.CancelRequested = Math.Min(ending.CancelRequested, at);
                break;
            case EventKind.Unsubscribed when Current(e) is { } ended:
                ended.Cancelled = at;
                break;
        }
    }

    private Subscription? Current(HistoryEvent e) => SubscriptionsOf(e.Client).FindLast(s => s.Filter == e.Text && s.Cancelled == Subscription.Never);

    private List<Subscription> SubscriptionsOf(int client)
    {
        if (!_byClient.TryGetValue(client, out List<Subscription>? subscriptions)) _byClient.Add(client, subscriptions = []);
        return subscriptions;
    }

    private bool Matches(string filter, string topic)
    {
        if (!_matches.TryGetValue((filter, topic), out bool matches)) _matches.Add((filter, topic), matches = TopicFilter.Matches(filter, topic));
        return matches;
    }

    private void ReadDelivery(int at, in HistoryEvent e)
    {
        if (!_deliveries.TryGetValue((e.Client, e.Message), out List<int>? places)) _deliveries.Add((e.Client, e.Message), places = []);
        places.Add(at);
        SentMessage message = _history.Messages[e.Message];
        int sentAt = _sentAt[e.Message];
        Subscription? holding = SubscriptionsOf(e.Client).FindLast(s => s.MayHold(sentAt, at) && Matches(s.Filter, message.Topic));
        if (holding is null)
        {
            Report(Promise.OnlySubscribed, at, $"{message} came without a subscription");
        }
        else if (e.Number != Math.Min(message.QoS, holding.QoS))
        {
            Report(Promise.Unchanged, at, $"{message} came at QoS {e.Number} to a subscription of QoS {holding.QoS}");
        }
    }

    private void JudgeDeliveries()
    {
        // An ended subscription owes nothing certain: what was queued for it may go with it [MQTT-3.10.4-3].
        foreach (Subscription subscription in _subscriptions.Where(
            s => !s.IsShared && s.Granted != Subscription.Never && s.CancelRequested == Subscription.Never))
        {
            for (int i = 0; i < _sentAt.Length; i++)
            {
                SentMessage message = _history.Messages[i];
                if (!subscription.CertainlyHolds(_sentAt[i]) || message.Bytes == 0 || !Matches(subscription.Filter, message.Topic)) continue;
                if (_acknowledgedAt[i] == Subscription.Never) continue;
                _owed++;
                if (!_deliveries.ContainsKey((subscription.Client, i)))
                {
                    Report(Promise.NothingIsLost, _acknowledgedAt[i], $"{message} was acknowledged and never came to {_history.Clients[subscription.Client]}");
                }
            }
        }

        foreach (((int client, int index), List<int> places) in _deliveries)
        {
            // The QoS at which it came is the lesser of the two; more than one is only of interest where it is 2.
            if (places.Count > 1 && places.All(at => _events[at].Number == 2))
            {
                Report(Promise.ExactlyOnce, places[1], $"{_history.Messages[index]} came {places.Count} times to {_history.Clients[client]}");
            }
        }
    }

    private void JudgeOrder()
    {
        var shared = _subscriptions.Where(s => s.IsShared).Select(s => s.Client).ToHashSet();
        var last = new Dictionary<(int Client, int Publisher, string Topic), (int Number, int Index)>();
        foreach (((int client, int index), List<int> places) in _deliveries.OrderBy(d => d.Value[0]))
        {
            if (shared.Contains(client)) continue;
            SentMessage message = _history.Messages[index];
            // One that was sent before the subscription, and again after it, comes as it is sent again: behind later ones that came at once.
            if (!_subscriptions.Any(s => s.Client == client && Matches(s.Filter, message.Topic) && s.CertainlyHolds(_sentAt[index]))) continue;
            (int, int, string) flow = (client, message.Publisher, message.Topic);
            if (last.TryGetValue(flow, out (int Number, int Index) before) && before.Number > message.Number)
            {
                string text = $"{message} came to {_history.Clients[client]} after {message.Publisher}:{before.Number}";
                Report(Promise.Order, places[0], text + OrderOnLink(index, before.Index));
            }
            else
            {
                last[flow] = (message.Number, index);
            }
        }
    }

    /// <summary>Whether a bridge brought two messages in order: whose fault it is that they came otherwise.</summary>
    private string OrderOnLink(int first, int second)
    {
        if (!_forwardedAt.TryGetValue(first, out int firstAt) || !_forwardedAt.TryGetValue(second, out int secondAt)) return "";
        return firstAt < secondAt ? "; over the bridge's link they went in order" : "; over the bridge's link they went like this";
    }

    /// <summary>Of a shared subscription, the members together get a message: once where all is QoS 2.</summary>
    private void JudgeSharedGroups()
    {
        foreach (IGrouping<string, Subscription> group in _subscriptions.Where(s => s.IsShared).GroupBy(s => s.Filter))
        {
            int[] members = [.. group.Select(s => s.Client).Distinct()];
            for (int i = 0; i < _sentAt.Length; i++)
            {
                SentMessage message = _history.Messages[i];
                if (!Matches(group.Key, message.Topic) || !group.Any(s => s.CertainlyHolds(_sentAt[i]))) continue;
                int[] places = [.. members.SelectMany(member => _deliveries.GetValueOrDefault((member, i)) ?? []).Order()];
                if (_acknowledgedAt[i] != Subscription.Never)
                {
                    _owed++;
                    if (places.Length == 0)
                    {
                        Report(Promise.NothingIsLost, _acknowledgedAt[i], $"{message} was acknowledged and never came to a member of {group.Key}");
                    }
                }

                if (places.Select(at => _events[at].Client).Distinct().Count() > 1 && places.All(at => _events[at].Number == 2))
                {
                    Report(Promise.ExactlyOnce, places[1], $"{message} came {places.Length} times to {group.Key}");
                }
            }
        }
    }

    private void Report(Promise promise, int at, string text) => _violations.Add(new Violation(promise, $"event {at}, {Name(_events[at].Client)}: {text}"));

    private string Name(int client) => client < 0 ? "the run" : _history.Clients[client];
}
