using System.Globalization;
using System.Text;
using EdgeBroker.Core;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Testing;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>Sessions that move from one broker to another, as nodes of a cluster would have them move.</summary>
internal static class MovedSession
{
    private static readonly Epoch Epoch = new(0, new Stamp(77));

    /// <summary>Moves a client's session: it is as it was, and the first broker has it no more.</summary>
    public static async Task MoveAsync(Broker from, Broker to, string clientId)
    {
        (Session session, SessionSnapshot snapshot) = await ExportAsync(from, clientId);
        Session shadow = to.OpenShadow(clientId, snapshot.Subscriptions)!;
        await ImportAsync(to, shadow, Carry(snapshot, from, to));
        Assert.Equal(Describe(snapshot, from), Describe(await CopyAsync(to, clientId), to));
        from.EndMoved(session);
        Assert.Null(from.FindSession(clientId));
    }

    /// <summary>Copies a session, which is pinned from now on.</summary>
    public static async Task<(Session Session, SessionSnapshot Snapshot)> ExportAsync(Broker from, string clientId)
    {
        Session session = from.Pin(clientId, static () => { })!;
        SessionSnapshot? snapshot = null;
        await Deadline.Until(
            () =>
            {
                snapshot = from.TryExport(session, out bool hasFailed);
                Assert.False(hasFailed);
                return snapshot is not null;
            },
            $"the session of {clientId} to be copied");
        return (session, snapshot!);
    }

    /// <summary>Copies a session, which stays.</summary>
    public static async Task<SessionSnapshot> CopyAsync(Broker of, string clientId)
    {
        (Session session, SessionSnapshot snapshot) = await ExportAsync(of, clientId);
        of.Unpin(session);
        return snapshot;
    }

    public static async Task ImportAsync(Broker to, Session shadow, SessionSnapshot snapshot)
    {
        Assert.True(to.TryImport(shadow, snapshot, Epoch, out Core.Journaling.Completion? committed));
        var done = new TaskCompletionSource();
        committed!.WhenDone(done.SetResult);
        await Deadline.Within(done.Task, "the import to be on disk");
    }

    /// <summary>What arrives on the other node: nothing is shared with the first one, and times are remaining ones.</summary>
    public static SessionSnapshot Carry(SessionSnapshot one, Broker from, Broker to)
    {
        var carried = new SessionSnapshot(one.ClientId)
        {
            UserName = one.UserName,
            ExpirySeconds = one.ExpirySeconds,
            EndsInMs = one.EndsInMs,
            Will = one.Will is null ? null : one.Will with { Message = Carry(one.Will.Message, from, to) },
            WillInMs = one.WillInMs,
            LastPosition = one.LastPosition,
            SentPosition = one.SentPosition,
        };
        carried.Subscriptions.AddRange(one.Subscriptions);
        carried.ReceivedIds.AddRange(one.ReceivedIds);
        carried.Released.AddRange(one.Released);
        carried.Messages.AddRange(one.Messages.Select(message => message with { Message = Carry(message.Message, from, to) }));
        return carried;
    }

    /// <summary>All that a client may rely on, in words.</summary>
    public static string Describe(SessionSnapshot one, Broker on)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"user {one.UserName} expiry {one.ExpirySeconds} ends in {one.EndsInMs} sent {one.SentPosition}");
        text.AppendLine(CultureInfo.InvariantCulture, $"will {(one.Will is null ? "none" : Describe(one.Will.Message, on))} {one.Will?.DelaySeconds} in "
            + $"{(one.Will is null ? 0 : one.WillInMs)}");
        IEnumerable<string> filters = one.Subscriptions.Select(filter => $"{Text(filter.Filter)} {filter.Options.Value} {filter.Identifier}");
        text.AppendLine(string.Join(", ", filters.Order(StringComparer.Ordinal)));
        text.AppendLine(CultureInfo.InvariantCulture, $"received {string.Join(' ', one.ReceivedIds.Order())} released {string.Join(' ', one.Released)}");
        foreach (SnapshotMessage message in one.Messages)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{message.Position} QoS {(int)message.QoS} retain {message.Retain} ids "
                + $"{string.Join('+', message.Identifiers ?? [])} {Describe(message.Message, on)}");
        }

        return text.ToString();
    }

    private static string Describe(Message one, Broker on)
    {
        string expiry = one.ExpiresAtMs == Message.Never ? "never" : (one.ExpiresAtMs - on.Clock.NowMs).ToString(CultureInfo.InvariantCulture);
        return $"{Text(one.Topic)} {Text(one.Payload)} {Convert.ToHexString(one.Properties)} QoS {(int)one.QoS} {one.Retain} {one.Stamp.Value} {expiry}";
    }

    private static Message Carry(Message one, Broker from, Broker to) => new()
    {
        Topic = one.Topic,
        Payload = one.Payload,
        Properties = one.Properties,
        QoS = one.QoS,
        Retain = one.Retain,
        ExpiresAtMs = one.ExpiresAtMs == Message.Never ? Message.Never : one.ExpiresAtMs - from.Clock.NowMs + to.Clock.NowMs,
        Stamp = one.Stamp,
    };

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
