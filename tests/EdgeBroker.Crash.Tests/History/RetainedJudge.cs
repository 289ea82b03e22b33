namespace EdgeBroker.Crash.Tests.History;

/// <summary>Judges the looks at the retained messages. Each topic has one publisher, whose messages have an order.</summary>
internal static class RetainedJudge
{
    public static void Judge(HistoryEvent[] events, RunHistory history, int[] sentAt, int[] acknowledgedAt, List<Violation> violations)
    {
        ILookup<string, int> values = Enumerable.Range(0, sentAt.Length).Where(i => history.Messages[i].Retain).ToLookup(i => history.Messages[i].Topic);
        int begin = -1;
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int at = 0; at < events.Length; at++)
        {
            switch (events[at].Kind)
            {
                case EventKind.RetainedLook:
                    begin = at;
                    seen.Clear();
                    break;
                case EventKind.RetainedSeen:
                    if (!seen.TryAdd(events[at].Text, events[at].Message))
                    {
                        violations.Add(new Violation(Promise.Retained, $"event {at}: {events[at].Text} came twice"));
                    }

                    break;
                case EventKind.RetainedLooked:
                    foreach (IGrouping<string, int> topic in values) JudgeTopic(topic, begin, at);
                    break;
            }
        }

        void JudgeTopic(IGrouping<string, int> topic, int from, int to)
        {
            int[] sent = [.. topic.Where(i => sentAt[i] < to)];
            int last = Array.FindLastIndex(sent, i => acknowledgedAt[i] < from);
            IEnumerable<int> allowed = sent[Math.Max(last, 0)..];
            // An empty payload is the absence of a value; so is the time before the first acknowledged one.
            bool mayBeAbsent = last < 0 || allowed.Any(i => history.Messages[i].Bytes == 0);
            bool good = seen.TryGetValue(topic.Key, out int value) ? allowed.Contains(value) : mayBeAbsent;
            if (good) return;
            string found = seen.ContainsKey(topic.Key) ? value < 0 ? "something else" : $"{history.Messages[value]}" : "nothing";
            violations.Add(
                new Violation(
                    Promise.Retained,
                    $"event {to}: {topic.Key} has {found}; the last acknowledged value is {(last < 0 ? "none" : history.Messages[sent[last]])}"));
        }
    }
}
