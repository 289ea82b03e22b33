using System.Collections.Immutable;

namespace EdgeBroker.Cluster.State;

/// <summary>
/// The state all members have in common: who is a member and alive, who has which lease, who has claimed which session. Each entry has its effect here, the
/// same on every member: no clock, no chance, nothing but the entry and what was before. Entries come on one thread; what is read comes from any.
/// </summary>
internal sealed class ClusterStateMachine
{
    private ClusterView _view;

    /// <summary>The state before the first entry.</summary>
    public ClusterStateMachine()
        : this(ClusterView.Empty, new ClaimTable())
    {
    }

    /// <summary>The state of a snapshot.</summary>
    public ClusterStateMachine(ClusterView view, ClaimTable claims)
    {
        _view = view;
        Claims = claims;
    }

    /// <summary>Members, leases and level after the last entry.</summary>
    public ClusterView View => Volatile.Read(ref _view);

    /// <summary>The claimed sessions.</summary>
    public ClaimTable Claims { get; }

    /// <summary>Who is told of each entry with an effect, on the thread that applies it; null: nobody.</summary>
    public IStateObserver? Observer { get; set; }

    /// <summary>Applies an entry. Bytes that are no command are an entry without effect.</summary>
    /// <param name="index">The entry's index; above that of every earlier one.</param>
    /// <param name="bytes">The command.</param>
    /// <returns>What became of it.</returns>
    public Applied Apply(long index, ReadOnlySpan<byte> bytes)
    {
        ClusterCommand? command = CommandCodec.Read(bytes);
        (ClusterView next, Applied applied) = command switch
        {
            NodeUp up => Start(index, up),
            NodeDown down => Find(index, down),
            NodeLeft left => Remove(index, left),
            ClaimSessions claims => Claim(index, claims),
            TakeLease lease => Take(index, lease),
            RaiseLevel level => Raise(index, level),
            _ => Only(index, CommandOutcome.Malformed),
        };
        next = next with { Index = index };
        Volatile.Write(ref _view, next);
        if (command is not null) Observer?.Applied(command, applied, next);
        return applied;
    }

    /// <summary>An entry that is Raft's own: nothing but the index changes.</summary>
    public void Pass(long index) => Volatile.Write(ref _view, View with { Index = index });

    private (ClusterView View, Applied Applied) Only(long index, CommandOutcome outcome) => (View, new Applied { Index = index, Outcome = outcome });

    private (ClusterView View, Applied Applied) Start(long index, NodeUp up)
    {
        ClusterView view = View;
        view.Members.TryGetValue(up.Node, out ClusterMember? former);
        if (view.RefusedCertificates.Contains(up.Fingerprint)) return Only(index, CommandOutcome.Removed);
        bool isSameStore = former is not null && former.Start.StoreId == up.StoreId;
        if (former is { State: MemberState.Left } && isSameStore) return Only(index, CommandOutcome.Removed);
        // One that was found dead is over, and does not come up again: the node begins another.
        bool isCurrent = isSameStore && former!.State == MemberState.Up;
        if (former is not null && (up.Incarnation < former.Incarnation || (up.Incarnation == former.Incarnation && !isCurrent)))
        {
            return Only(index, CommandOutcome.StaleIncarnation);
        }

        if (up.HighestGrant > Math.Max(view.LastGrant, index) + StateLimits.MostGrantJump) return Only(index, CommandOutcome.GrantTooFar);
        if (up.WireMax < view.Level) return Only(index, CommandOutcome.VersionNotSpoken);

        // On another store nothing is left that could be claimed or settled.
        if (former is not null && !isSameStore) Claims.Forget(up.Node, long.MaxValue);
        else if (up.SettledThrough > 0) Claims.Forget(up.Node, up.SettledThrough);
        ClusterView next = view with
        {
            Members = view.Members.SetItem(up.Node, new ClusterMember(MemberState.Up, up)
            {
                DeadIncarnation = former?.DeadIncarnation ?? 0,
                WillsBy = former?.WillsBy ?? 0,
            }),
            LastGrant = Math.Max(view.LastGrant, up.HighestGrant),
        };
        FormerState state = former?.State switch
        {
            MemberState.Up => FormerState.Up,
            MemberState.Down => FormerState.Down,
            MemberState.Left => FormerState.Left,
            _ => FormerState.None,
        };
        // What it had of others' wills was in its memory.
        if (former?.Incarnation != up.Incarnation) next = PassWillsOn(next, up.Node);
        return (next, new Applied { Index = index, Outcome = CommandOutcome.Done, Former = state });
    }

    private (ClusterView View, Applied Applied) Find(long index, NodeDown down)
    {
        ClusterView view = View;
        if (view.Find(down.Node) is not { } member) return Only(index, CommandOutcome.UnknownNode);
        if (member.Incarnation != down.Incarnation) return Only(index, CommandOutcome.StaleIncarnation);
        if (member.State == MemberState.Down) return Only(index, CommandOutcome.NoChange);
        ClusterView next = End(view, member, MemberState.Down);
        return (next, new Applied { Index = index, Outcome = CommandOutcome.Done });
    }

    private (ClusterView View, Applied Applied) Remove(long index, NodeLeft left)
    {
        ClusterView view = View;
        if (!view.Members.TryGetValue(left.Node, out ClusterMember? member)) return Only(index, CommandOutcome.UnknownNode);
        if (member.State == MemberState.Left) return Only(index, CommandOutcome.NoChange);
        Claims.Forget(left.Node, long.MaxValue);
        bool isRefused = !left.IsReplaced && member.Start.Fingerprint != NodeUp.NoCertificate;
        ImmutableList<string> refused = isRefused ? view.RefusedCertificates.Add(member.Start.Fingerprint) : view.RefusedCertificates;
        if (refused.Count > StateLimits.MostRefusedCertificates) refused = refused.RemoveAt(0);
        ClusterView next = End(view, member, MemberState.Left) with
        {
            Leases = view.Leases.RemoveRange(view.Leases.Where(one => one.Value.Node == left.Node).Select(one => one.Key)),
            RefusedCertificates = refused,
        };
        return (next, new Applied { Index = index, Outcome = CommandOutcome.Done });
    }

    /// <summary>An incarnation is over, and somebody publishes the wills of its clients. One that was found dead before is not over again.</summary>
    private static ClusterView End(ClusterView view, ClusterMember member, MemberState state)
    {
        bool isOver = member.DeadIncarnation == member.Incarnation;
        ClusterMember ended = member with
        {
            State = state,
            DeadIncarnation = member.Incarnation,
            WillsBy = isOver ? member.WillsBy : view.LowestUp(member.Node),
        };
        return PassWillsOn(view with { Members = view.Members.SetItem(member.Node, ended) }, member.Node);
    }

    /// <summary>Another node publishes what a node was to publish that is dead, or has started anew.</summary>
    private static ClusterView PassWillsOn(ClusterView view, byte from)
    {
        foreach (ClusterMember member in view.Members.Values.Where(one => one.WillsBy == from))
        {
            byte next = view.LowestUp(member.Node, from);
            view = view with { Members = view.Members.SetItem(member.Node, member with { WillsBy = next }) };
        }

        return view;
    }

    private (ClusterView View, Applied Applied) Claim(long index, ClaimSessions claims)
    {
        ClusterView view = View;
        if (view.Find(claims.Node) is null || view.Find(claims.Over) is not { } over) return Only(index, CommandOutcome.UnknownNode);
        if (!view.IsUp(claims.Node, claims.Incarnation) || over.Incarnation != claims.OverIncarnation)
        {
            return Only(index, CommandOutcome.StaleIncarnation);
        }

        if (over.State == MemberState.Up && !claims.IsLongUnlinked) return Only(index, CommandOutcome.NodeIsUp);
        long grant = NextGrant(view, index);
        bool isUsed = false;
        ImmutableArray<ClaimAnswer>.Builder answers = ImmutableArray.CreateBuilder<ClaimAnswer>(claims.Sessions.Count);
        foreach (SessionToClaim session in claims.Sessions)
        {
            ClaimAnswer answer = Answer(claims, session, grant);
            isUsed |= answer.IsGranted && answer.Grant == grant;
            answers.Add(answer);
        }

        ClusterView next = isUsed ? view with { LastGrant = grant } : view;
        return (next, new Applied { Index = index, Outcome = CommandOutcome.Done, Claims = answers.MoveToImmutable() });
    }

    private ClaimAnswer Answer(ClaimSessions claims, SessionToClaim session, long grant)
    {
        if (Claims.Find(session.ClientId) is { } known && known.Grant > session.KnownGrant)
        {
            // A proposal may be made again whose first answer was lost: it is the same claim, and gets the same answer.
            bool isRepeated = known.Owner == claims.Node && known.Over == claims.Over && known.ConnectionStamp == session.ConnectionStamp;
            return new ClaimAnswer(isRepeated, known.Owner, known.Grant);
        }

        var claim = new Claim(claims.Node, grant, claims.Over, session.ConnectionStamp, session.IsClean);
        return Claims.TrySet(session.ClientId, claim) ? new ClaimAnswer(true, claims.Node, grant) : default;
    }

    private (ClusterView View, Applied Applied) Take(long index, TakeLease lease)
    {
        ClusterView view = View;
        view.Leases.TryGetValue(lease.Name, out Lease? held);
        if (lease.Node == 0)
        {
            // Whoever gives back what somebody else has taken meanwhile gives nothing back.
            if (held is null || held.Grant != lease.KnownGrant) return Only(index, CommandOutcome.NoChange);
            return (view with { Leases = view.Leases.Remove(lease.Name) }, new Applied { Index = index, Outcome = CommandOutcome.Done, Grant = held.Grant });
        }

        if (view.Find(lease.Node) is null) return Only(index, CommandOutcome.UnknownNode);
        if (!view.IsUp(lease.Node, lease.Incarnation)) return Only(index, CommandOutcome.StaleIncarnation);
        if (held is not null && (held.Node, held.Incarnation) == (lease.Node, lease.Incarnation))
        {
            return (view, new Applied { Index = index, Outcome = CommandOutcome.NoChange, Grant = held.Grant });
        }

        if (held is not null && view.IsUp(held.Node, held.Incarnation))
        {
            return (view, new Applied { Index = index, Outcome = CommandOutcome.Held, Grant = held.Grant });
        }

        if (held is null && view.Leases.Count >= StateLimits.MostLeases) return Only(index, CommandOutcome.Full);
        long grant = NextGrant(view, index);
        ClusterView next = view with { LastGrant = grant, Leases = view.Leases.SetItem(lease.Name, new Lease(lease.Node, lease.Incarnation, grant)) };
        return (next, new Applied { Index = index, Outcome = CommandOutcome.Done, Grant = grant });
    }

    private (ClusterView View, Applied Applied) Raise(long index, RaiseLevel level)
    {
        ClusterView view = View;
        if (level.Version <= view.Level) return Only(index, CommandOutcome.NoChange);
        if (view.Members.Values.Any(member => member.State != MemberState.Left && member.Start.WireMax < level.Version))
        {
            return Only(index, CommandOutcome.VersionNotSpoken);
        }

        return (view with { Level = level.Version }, new Applied { Index = index, Outcome = CommandOutcome.Done });
    }

    // Above the index, so that it grows with the log; above the last one, so that it does also after a log that lost its tail or began anew.
    private static long NextGrant(ClusterView view, long index) => Math.Max(index, view.LastGrant + 1);
}
