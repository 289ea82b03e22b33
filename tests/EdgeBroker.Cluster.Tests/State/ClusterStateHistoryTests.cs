using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Tests.State;

/// <summary>Random histories against a model that is written for being simple: lists, looked through from the start.</summary>
public sealed class ClusterStateHistoryTests
{
    [Fact]
    public void A_random_history_has_the_same_answers_as_the_model()
    {
        int granted = 0, conflicts = 0;
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var machine = new ClusterStateMachine();
            var model = new Model();
            for (int step = 0; step < 300; step++)
            {
                ClusterCommand command = Next(random, machine);
                Applied applied = machine.Apply(command);
                string expected = model.Apply(machine.View.Index, command);
                Assert.True(expected == Shown(applied), $"seed {seed}, step {step}, {command}: {expected} expected, {Shown(applied)} came");
                granted += applied.Claims.Count(answer => answer.IsGranted);
                conflicts += applied.Claims.Count(answer => !answer.IsGranted);
            }

            Assert.Equal(model.Claims.Count, machine.Claims.Count);
            Assert.Equal(model.LastGrant, machine.View.LastGrant);
        }

        Assert.True(granted > 1000 && conflicts > 1000, $"{granted} granted and {conflicts} refused: the histories say nothing");
    }

    [Fact]
    public void Replayed_from_the_start_or_from_any_snapshot_the_state_has_the_same_bytes()
    {
        for (int seed = 0; seed < 30; seed++)
        {
            var random = new Random(seed);
            var machine = new ClusterStateMachine();
            var log = new List<byte[]>();
            var snapshots = new List<byte[]>();
            for (int step = 0; step < 200; step++)
            {
                byte[] bytes = random.Next(20) == 0 ? [9, 9, 9] : CommandCodec.Write(Next(random, machine));
                log.Add(bytes);
                machine.Apply(log.Count, bytes);
                if (step % 37 == 0) snapshots.Add(SnapshotCodec.Write(machine));
            }

            snapshots.Add(SnapshotCodec.Write(new ClusterStateMachine()));
            foreach (byte[] snapshot in snapshots)
            {
                ClusterStateMachine replayed = SnapshotCodec.Read(snapshot);
                for (int i = (int)replayed.View.Index; i < log.Count; i++) replayed.Apply(i + 1, log[i]);
                Assert.Equal(SnapshotCodec.Write(machine), SnapshotCodec.Write(replayed));
            }
        }
    }

    /// <summary>An epoch names one node for ever: no two nodes are ever given one grant, and grants only grow.</summary>
    [Fact]
    public void No_grant_is_given_to_two_nodes_and_grants_grow()
    {
        for (int seed = 1000; seed < 1100; seed++)
        {
            var random = new Random(seed);
            var machine = new ClusterStateMachine();
            var givenTo = new Dictionary<long, byte>();
            long last = 0;
            for (int step = 0; step < 300; step++)
            {
                ClusterCommand command = Next(random, machine);
                Applied applied = machine.Apply(command);
                IEnumerable<(long Grant, byte Node)> given = command switch
                {
                    ClaimSessions claims => applied.Claims.Where(answer => answer.IsGranted).Select(answer => (answer.Grant, claims.Node)),
                    TakeLease { Node: > 0 } lease when applied.Outcome == CommandOutcome.Done => [(applied.Grant, lease.Node)],
                    _ => [],
                };
                foreach ((long grant, byte node) in given.Distinct())
                {
                    if (givenTo.TryAdd(grant, node))
                    {
                        Assert.True(grant > last, $"seed {seed}: {grant} after {last}");
                        last = grant;
                    }

                    Assert.Equal(node, givenTo[grant]);
                }
            }
        }
    }

    private static string Shown(Applied applied) =>
        $"{applied.Outcome} {applied.Former} {applied.Grant} "
            + string.Join(' ', applied.Claims.Select(answer => $"{answer.IsGranted}/{answer.Owner}/{answer.Grant}"));

    private static ClusterCommand Next(Random random, ClusterStateMachine machine)
    {
        byte node = (byte)random.Next(1, 6);
        byte other = (byte)(node % 5 + 1);
        long current = machine.View.Members.TryGetValue(node, out ClusterMember? member) ? member.Incarnation : 1;
        long ofOther = machine.View.Members.TryGetValue(other, out ClusterMember? second) ? second.Incarnation : 1;
        // Mostly what makes sense, and now and then what is late or wrong.
        long near = Math.Max(1, current + (random.Next(5) == 0 ? random.Next(-1, 2) : 0));
        switch (random.Next(12))
        {
            case 0 or 1:
                int store = random.Next(12) == 0 ? random.Next(100, 110) : (int)(member?.Start.StoreId.ToByteArray()[0] ?? node);
                return Commands.Up(
                    node, near + random.Next(2), store, random.Next(12) == 0 ? random.Next(100, 110) : node,
                    random.Next(6) == 0 ? random.Next(2000) : 0, random.Next(4) == 0 ? random.Next((int)machine.View.LastGrant + 2) : 0,
                    (byte)random.Next(1, 4));
            case 2 or 3:
                return new NodeDown(node, near);
            case 4 when random.Next(4) == 0:
                return new NodeLeft(node, random.Next(2) == 0);
            case 5:
                return new RaiseLevel((byte)random.Next(1, 4));
            case 6 or 7:
                string lease = $"bridge/{random.Next(3)}";
                return random.Next(3) == 0
                    ? new TakeLease(lease, 0, 0, machine.View.Leases.TryGetValue(lease, out Lease? held) ? held.Grant - random.Next(2) : 0)
                    : new TakeLease(lease, node, near, 0);
            default:
                var sessions = new SessionToClaim[random.Next(1, 4)];
                for (int i = 0; i < sessions.Length; i++)
                {
                    string clientId = $"client-{random.Next(8)}";
                    long known = random.Next(3) == 0 && machine.Claims.Find(clientId) is { } claim ? claim.Grant : 0;
                    sessions[i] = Commands.Session(clientId, known, random.Next(6), random.Next(2) == 0);
                }

                return new ClaimSessions(node, near, other, Math.Max(1, ofOther - (random.Next(8) == 0 ? 1 : 0)), random.Next(3) == 0, sessions);
        }
    }

    /// <summary>The rules once more, for reading rather than for speed.</summary>
    private sealed class Model
    {
        private readonly List<(NodeUp Start, string State)> _members = [];
        private readonly List<string> _refused = [];
        private readonly List<(string Name, byte Node, long Incarnation, long Grant)> _leases = [];
        private int _level;

        public long LastGrant { get; private set; }

        public List<(string ClientId, byte Owner, long Grant, byte Over, long Stamp)> Claims { get; } = [];

        public string Apply(long index, ClusterCommand command)
        {
            string outcome = "Done", former = "None", answers = "";
            long grant = 0;
            switch (command)
            {
                case NodeUp up:
                    (NodeUp? before, string state) = _members.Find(m => m.Start.Node == up.Node);
                    if (_refused.Contains(up.Fingerprint) || (state == "Left" && before!.StoreId == up.StoreId))
                    {
                        outcome = "Removed";
                    }
                    else if (before is not null
                        && (up.Incarnation < before.Incarnation || (up.Incarnation == before.Incarnation && (state != "Up" || up.StoreId != before.StoreId))))
                    {
                        outcome = "StaleIncarnation";
                    }
                    else if (up.WireMax < _level)
                    {
                        outcome = "VersionNotSpoken";
                    }
                    else
                    {
                        former = state ?? "None";
                        Claims.RemoveAll(c => c.Over == up.Node && ((before is not null && before.StoreId != up.StoreId) || c.Grant <= up.SettledThrough));
                        LastGrant = Math.Max(LastGrant, up.HighestGrant);
                        _members.RemoveAll(m => m.Start.Node == up.Node);
                        _members.Add((up, "Up"));
                    }

                    break;
                case NodeDown down:
                    outcome = StateOf(down.Node) is null or "Left" ? "UnknownNode" : Incarnation(down.Node) != down.Incarnation ? "StaleIncarnation"
                        : StateOf(down.Node) == "Down" ? "NoChange" : "Done";
                    if (outcome == "Done") Set(down.Node, "Down");
                    break;
                case NodeLeft left:
                    outcome = StateOf(left.Node) is null ? "UnknownNode" : StateOf(left.Node) == "Left" ? "NoChange" : "Done";
                    if (outcome != "Done") break;
                    if (!left.IsReplaced) _refused.Add(_members.Find(m => m.Start.Node == left.Node).Start.Fingerprint);
                    Claims.RemoveAll(c => c.Over == left.Node);
                    _leases.RemoveAll(l => l.Node == left.Node);
                    Set(left.Node, "Left");
                    break;
                case RaiseLevel level:
                    outcome = level.Version <= _level ? "NoChange"
                        : _members.Exists(m => m.State != "Left" && m.Start.WireMax < level.Version) ? "VersionNotSpoken" : "Done";
                    if (outcome == "Done") _level = level.Version;
                    break;
                case TakeLease lease:
                    (outcome, grant) = Lease(index, lease);
                    break;
                case ClaimSessions claims:
                    (outcome, answers) = Claim(index, claims);
                    break;
            }

            return $"{outcome} {former} {grant} {answers}";
        }

        private (string Outcome, long Grant) Lease(long index, TakeLease lease)
        {
            int at = _leases.FindIndex(l => l.Name == lease.Name);
            if (lease.Node == 0)
            {
                if (at < 0 || _leases[at].Grant != lease.KnownGrant) return ("NoChange", 0);
                long given = _leases[at].Grant;
                _leases.RemoveAt(at);
                return ("Done", given);
            }

            if (StateOf(lease.Node) is null or "Left") return ("UnknownNode", 0);
            if (!IsUp(lease.Node, lease.Incarnation)) return ("StaleIncarnation", 0);
            if (at >= 0 && _leases[at].Node == lease.Node && _leases[at].Incarnation == lease.Incarnation) return ("NoChange", _leases[at].Grant);
            if (at >= 0 && IsUp(_leases[at].Node, _leases[at].Incarnation)) return ("Held", _leases[at].Grant);
            if (at >= 0) _leases.RemoveAt(at);
            LastGrant = Math.Max(index, LastGrant + 1);
            _leases.Add((lease.Name, lease.Node, lease.Incarnation, LastGrant));
            return ("Done", LastGrant);
        }

        private (string Outcome, string Answers) Claim(long index, ClaimSessions claims)
        {
            if (StateOf(claims.Node) is null or "Left" || StateOf(claims.Over) is null or "Left") return ("UnknownNode", "");
            if (!IsUp(claims.Node, claims.Incarnation) || Incarnation(claims.Over) != claims.OverIncarnation) return ("StaleIncarnation", "");
            if (StateOf(claims.Over) == "Up" && !claims.IsLongUnlinked) return ("NodeIsUp", "");
            long grant = Math.Max(index, LastGrant + 1);
            var answers = new List<string>();
            foreach (SessionToClaim session in claims.Sessions)
            {
                int at = Claims.FindIndex(c => c.ClientId == session.ClientId && c.Grant > session.KnownGrant);
                if (at >= 0)
                {
                    bool isSame = Claims[at].Owner == claims.Node && Claims[at].Over == claims.Over && Claims[at].Stamp == session.ConnectionStamp;
                    answers.Add($"{isSame}/{Claims[at].Owner}/{Claims[at].Grant}");
                    continue;
                }

                Claims.RemoveAll(c => c.ClientId == session.ClientId);
                Claims.Add((session.ClientId, claims.Node, grant, claims.Over, session.ConnectionStamp));
                LastGrant = grant;
                answers.Add($"True/{claims.Node}/{grant}");
            }

            return ("Done", string.Join(' ', answers));
        }

        private string? StateOf(byte node) => _members.Find(m => m.Start.Node == node).State;

        private long Incarnation(byte node) => _members.Find(m => m.Start.Node == node).Start.Incarnation;

        private bool IsUp(byte node, long incarnation) => StateOf(node) == "Up" && Incarnation(node) == incarnation;

        private void Set(byte node, string state)
        {
            int at = _members.FindIndex(m => m.Start.Node == node);
            _members[at] = (_members[at].Start, state);
        }
    }
}
