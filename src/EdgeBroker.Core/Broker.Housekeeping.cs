using EdgeBroker.Core.Sessions;

namespace EdgeBroker.Core;

// What time brings: delayed wills, ends of sessions, expired retained messages, $SYS.
public sealed partial class Broker
{
    // Looked at in one call, so that a thousand sessions that expire together do not hold up a reactor.
    private const int SessionsPerCall = 256;
    private const int RetainedPerCall = 1024;

    /// <summary>
    /// Does what is due, a bounded part of it at a time. Called a few times a second by one thread, or by a test that has moved its clock.
    /// </summary>
    /// <returns>Whether more is due already.</returns>
    public bool RunDue()
    {
        Loops.Begin();
        try
        {
            return RunPart(Clock.NowMs);
        }
        finally
        {
            Loops.End();
        }
    }

    private bool RunPart(long nowMs)
    {
        _memoryRelief.Run();
        for (int i = 0; i < SessionsPerCall; i++)
        {
            if (_sessions.Deadlines.TakeDue(nowMs) is not { } session)
            {
                if (Retained.Count > 0) Retained.SweepExpired(nowMs, RetainedPerCall, _tellExpired);
                MaintainStore(nowMs);
                SweepQueues(nowMs);
                Limits.Holders.Sweep();
                _sys?.RunDue(nowMs, _ownContext);
                return false;
            }

            RunDueOf(session, nowMs);
        }

        return true;
    }

    private void RunDueOf(Session session, long nowMs)
    {
        DueWork work = session.TakeDue(nowMs);
        if (work.Expired)
        {
            if (session.End(onlyIfDetached: true) is not { } ending) return;
            Finish(session, ending, _ownContext);
            _sessions.CountExpired();
            return;
        }

        if (work.WillNow is { } will) PublishWill(will, session, _ownContext);
        if (work.DueMs is { } dueMs) _sessions.Deadlines.Set(session, dueMs);
    }
}
