using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Sessions;

namespace EdgeBroker.Core.Limits;

/// <summary>
/// While memory is short, ends the connections that hold most, the largest first, until there is enough again by what they hold. Sessions that outlive their
/// connection are kept, with their messages where the store has them.
/// </summary>
/// <param name="limits">Knows how short it is.</param>
/// <param name="sessions">Who holds it.</param>
internal sealed class MemoryRelief(BrokerLimits limits, SessionTable sessions)
{
    // Whoever holds less is not what is the matter.
    private const long WorthwhileBytes = 64 * 1024;
    private const long MuchBytes = 1024 * 1024;
    private const int MostGivenUp = 64;

    /// <summary>A part of housekeeping.</summary>
    public void Run()
    {
        MemoryPressure memory = limits.Memory;
        if (memory.Stage == MemoryStage.Normal) return;
        // Nobody is kept out for the sake of a few who hold much.
        long leastBytes = memory.Stage == MemoryStage.Refusing ? MuchBytes : WorthwhileBytes;
        long enoughBytes = memory.LimitBytes / 100 * MemoryPressure.LeavesAtPercent(MemoryStage.Refusing);
        long wantedBytes = memory.OwnBytes + limits.Ledger.TotalBytes - enoughBytes;
        if (wantedBytes <= 0) return;
        List<(long Bytes, string ClientId, ISessionLink Link)> holders = [];
        foreach (KeyValuePair<string, Session> entry in sessions)
        {
            long bytes = entry.Value.CountHeldBytes(out ISessionLink? link);
            if (link is not null && bytes >= leastBytes) holders.Add((bytes, entry.Key, link));
        }

        holders.Sort((one, other) => other.Bytes.CompareTo(one.Bytes));
        foreach ((long bytes, string clientId, ISessionLink link) in holders.Take(MostGivenUp))
        {
            limits.Report(LimitKind.MaxMemory, LimitAction.Disconnected, clientId);
            link.GiveUpMemory();
            wantedBytes -= bytes;
            if (wantedBytes <= 0) return;
        }
    }
}
