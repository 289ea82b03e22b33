using EdgeBroker.Storage.Journal;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Opening;

/// <summary>
/// After a rescue: takes the receivers from messages that are gone, so that nobody waits for what cannot come, and says what each session has lost by that.
/// </summary>
internal static class DeliverySalvage
{
    private const int MostNamed = 50;

    /// <summary>Changes the rows of "delivery"; returns what is lost, those with most first.</summary>
    /// <exception cref="SqliteException">The database cannot be read or written.</exception>
    public static IReadOnlyList<LostDeliveries> Run(SqliteDatabase target)
    {
        var lost = new Dictionary<long, long>();
        var done = new Dictionary<long, DoneSet>();
        var changed = new List<(long FirstMessage, byte[] Receivers)>();
        using (SqliteStatement progress = target.Prepare("SELECT session, low, done FROM progress"))
        {
            while (progress.Step())
            {
                if (DoneSet.Read(progress.Int64(1), progress.Blob(2)) is { } set) done[progress.Int64(0)] = set;
            }
        }

        using (SqliteStatement rows = target.Prepare("SELECT first_message, receivers FROM delivery"))
        using (SqliteStatement message = target.Prepare("SELECT 1 FROM message WHERE id = ?1"))
        {
            while (rows.Step())
            {
                if (Without(rows, message, (session, position) => Note(lost, done, session, position)) is { } left) changed.Add((rows.Int64(0), left));
            }
        }

        using (SqliteStatement update = target.Prepare("UPDATE delivery SET receivers = ?2 WHERE first_message = ?1"))
        {
            foreach ((long first, byte[] receivers) in changed)
            {
                update.Bind(1, first);
                update.Bind(2, receivers);
                update.Run();
            }
        }

        return Named(target, lost);
    }

    /// <summary>Whether a message that somebody receives is there.</summary>
    /// <param name="message">Takes a message's number and finds it.</param>
    /// <param name="id">The number.</param>
    public static bool Exists(SqliteStatement message, long id)
    {
        message.Bind(1, id);
        bool exists = message.Step();
        message.Reset();
        return exists;
    }

    private static void Note(Dictionary<long, long> lost, Dictionary<long, DoneSet> done, long session, long position)
    {
        if (done.TryGetValue(session, out DoneSet? set) && set.Contains(position)) return;
        lost[session] = lost.GetValueOrDefault(session) + 1;
    }

    /// <summary>A row's blob without the receivers of messages that are gone; null: all are there.</summary>
    private static byte[]? Without(SqliteStatement row, SqliteStatement messages, Action<long, long> isLost)
    {
        var blob = new BlobReader(row.Blob(1));
        var left = new BlobWriter();
        bool isChanged = false;
        for (long id = row.Int64(0); Receivers.TryReadMessage(ref blob, out WaitingMessage message); id++)
        {
            bool exists = message.Receivers == 0 || Exists(messages, id);
            isChanged |= !exists;
            Receivers.WriteMessage(left, exists ? message : message with { Receivers = 0 });
            for (int i = 0; i < message.Receivers && Receivers.TryRead(ref blob, out Receiver receiver); i++)
            {
                if (exists) Receivers.Write(left, receiver);
                else isLost(receiver.Session, receiver.Position);
            }
        }

        return isChanged ? left.ToArray() : null;
    }

    private static List<LostDeliveries> Named(SqliteDatabase target, Dictionary<long, long> lost)
    {
        var named = new List<LostDeliveries>();
        long others = 0;
        using SqliteStatement names = target.Prepare("SELECT client_id FROM session WHERE id = ?1 AND client_id IS NOT NULL");
        foreach ((long session, long count) in lost.OrderByDescending(one => one.Value))
        {
            names.Bind(1, session);
            string? name = named.Count < MostNamed && names.Step() ? names.Text(0) : null;
            names.Reset();
            if (name is null) others += count;
            else named.Add(new LostDeliveries(name, count));
        }

        if (others > 0) named.Add(new LostDeliveries(null, others));
        return named;
    }
}
