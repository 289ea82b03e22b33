using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;

namespace EdgeBroker.Coap.Resources;

/// <summary>
/// All observations, and who is told next: a peer has one CON in flight at most, and what changes meanwhile is told once, as it is then (RFC 7641, 4.5).
/// </summary>
internal sealed class Observers(MessageLayer layer, int blockExponent, KeptBodies kept)
{
    // RFC 7641, 4.5.1: without acknowledgements nobody says how much a network can carry.
    private const long NonIntervalMs = 3_000;

    // What an address that may not be the peer's is sent at most, see MessageLayer.
    private const int UnverifiedExponent = 2;

    // So often a number may be used up without those after a restart being older ones; 24 bits last for 12 days then.
    private const long SequenceStepMs = 64;

    private readonly Dictionary<Peer, PeerObservations> _byPeer = [];
    private readonly Dictionary<string, Observation> _byIdentity = new(StringComparer.Ordinal);
    private int _count;

    private long CheckMs => (long)layer.Limits.ObserverCheck.TotalMilliseconds;

    /// <summary>How many there are; any thread.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Whether so many observe that from here on an address must be proved: half of all places are for who is there.</summary>
    public bool IsCrowded => _count >= layer.Limits.MaxObservations / 2;

    /// <summary>All of a peer.</summary>
    public IReadOnlyList<Observation> Of(Peer peer) => _byPeer.TryGetValue(peer, out PeerObservations? own) ? [.. own.All] : [];

    /// <summary>Registers an observer; false: there are too many.</summary>
    /// <param name="peer">Who observes.</param>
    /// <param name="token">The token it knows.</param>
    /// <param name="observed">What it follows.</param>
    /// <param name="key">Names who observes what, wherever the observer is; null: the end point does.</param>
    /// <param name="block">The block size asked for.</param>
    /// <param name="transfer">By what the rest of a notification in blocks is asked for; null: not known.</param>
    /// <param name="observation">The registration.</param>
    public bool TryAdd(Peer peer, byte[] token, IObserved observed, string? key, Block? block, string? transfer, out Observation observation)
    {
        // The same token again is the same observation again (RFC 7641, 4.1), and what it stood for is not wanted any more; the same identity somewhere else
        // has moved.
        Cancel(peer, token);
        if (key is not null && _byIdentity.TryGetValue(key, out Observation? moved)) End(moved);
        // What goes on behind a restart must not begin with a number that the observer takes for an old one (RFC 7641, 3.4).
        uint sequence = observed.IsDurable ? (uint)(layer.WallTimeMs / SequenceStepMs) : 1;
        observation = new Observation(this, peer, token, observed, key, block, transfer, sequence) { ConfirmedMs = layer.NowMs };
        _byPeer.TryGetValue(peer, out PeerObservations? own);
        if (_count >= layer.Limits.MaxObservations || own?.All.Count >= layer.Limits.MaxObservationsPerPeer) return false;
        if (own is null) _byPeer.Add(peer, own = new PeerObservations());
        own.All.Add(observation);
        if (key is not null) _byIdentity[key] = observation;
        layer.Pin(peer, 1);
        _count++;
        return true;
    }

    /// <summary>Whether a registration would find room, as <see cref="TryAdd"/> counts.</summary>
    public bool HasRoom(Peer peer, ReadOnlySpan<byte> token, string key)
    {
        int own = _byPeer.TryGetValue(peer, out PeerObservations? there) ? there.All.Count : 0;
        Observation? same = Find(peer, token);
        Observation? moved = _byIdentity.GetValueOrDefault(key);
        int over = (same is null ? 0 : 1) + (moved is null || ReferenceEquals(moved, same) ? 0 : 1);
        int overHere = (same is null ? 0 : 1) + (moved?.Peer == peer && !ReferenceEquals(moved, same) ? 1 : 0);
        return _count - over < layer.Limits.MaxObservations && own - overHere < layer.Limits.MaxObservationsPerPeer;
    }

    /// <summary>Ends what a peer observes under a token, at its wish.</summary>
    public bool Cancel(Peer peer, ReadOnlySpan<byte> token) => Find(peer, token) is { } one && Cancel(one);

    /// <summary>Ends an observation that the observer does not want any more, or may not have.</summary>
    public bool Cancel(Observation observation)
    {
        observation.Observed.Cancel();
        return End(observation);
    }

    /// <summary>Lets go of an observation.</summary>
    public bool End(Observation observation)
    {
        if (observation.HasEnded) return false;
        observation.HasEnded = true;
        PeerObservations own = _byPeer[observation.Peer];
        own.All.Remove(observation);
        if (own.All.Count == 0) _byPeer.Remove(observation.Peer);
        if (observation.Identity is { } key && ReferenceEquals(_byIdentity.GetValueOrDefault(key), observation)) _byIdentity.Remove(key);
        layer.Pin(observation.Peer, -1);
        _count--;
        observation.Observed.Dispose();
        return true;
    }

    /// <summary>Ends all of a peer.</summary>
    public void EndAll(Peer peer)
    {
        foreach (Observation one in Of(peer)) End(one);
    }

    /// <summary>The peer has reset a NON.</summary>
    public void OnReset(Peer peer, ushort messageId)
    {
        if (Of(peer).FirstOrDefault(one => one.LastNonId == messageId) is { } unwanted) Cancel(unwanted);
    }

    /// <summary>There may be something new for an observer.</summary>
    public void Signal(Observation observation)
    {
        if (observation.HasEnded) return;
        if (!observation.IsSignalled)
        {
            observation.IsSignalled = true;
            _byPeer[observation.Peer].Signalled.Enqueue(observation);
        }

        Tell(observation.Peer);
    }

    /// <summary>Tells a peer what is new, as far as it may be told now; one after the other.</summary>
    public void Tell(Peer peer)
    {
        if (!_byPeer.TryGetValue(peer, out PeerObservations? own) || own.IsTelling) return;
        own.IsTelling = true;
        try
        {
            // Whether the next is a CON shows only when it has been taken, so nothing is taken while a CON could not go.
            while (peer.IsFree && !IsPaced(peer, own) && own.Signalled.TryDequeue(out Observation? next))
            {
                if (next.HasEnded) continue;
                if (!next.Observed.TryNext(out Notification notification))
                {
                    next.IsSignalled = false;
                    continue;
                }

                // There may be more; the others come first.
                own.Signalled.Enqueue(next);
                Send(own, next, notification);
            }
        }
        finally
        {
            own.IsTelling = false;
        }
    }

    /// <summary>
    /// Asks peers that were told nothing for long, or nothing they must acknowledge, whether they are there: by a ping, since there may be nothing to tell.
    /// </summary>
    public void Check()
    {
        long nowMs = layer.NowMs;
        List<Peer>? silent = null;
        foreach ((Peer peer, PeerObservations own) in _byPeer)
        {
            if (peer.IsFree && own.All.Exists(one => nowMs - one.ConfirmedMs >= CheckMs)) (silent ??= []).Add(peer);
        }

        silent?.ForEach(peer => layer.SendConfirmable(peer, response: null, default, outcome =>
        {
            if (outcome == TransmissionOutcome.TimedOut) EndAll(peer);
            foreach (Observation one in Of(peer)) one.ConfirmedMs = layer.NowMs;
        }));
    }

    private Observation? Find(Peer peer, ReadOnlySpan<byte> token)
    {
        if (!_byPeer.TryGetValue(peer, out PeerObservations? own)) return null;
        foreach (Observation one in own.All)
        {
            if (token.SequenceEqual(one.Token)) return one;
        }

        return null;
    }

    private bool IsPaced(Peer peer, PeerObservations own)
    {
        if (own.Signalled.Count == 0 || layer.NowMs >= own.NextNonMs) return false;
        if (own.IsScheduled) return true;
        own.IsScheduled = true;
        layer.Schedule(own.NextNonMs, () =>
        {
            own.IsScheduled = false;
            Tell(peer);
        });
        return true;
    }

    private void Send(PeerObservations own, Observation one, in Notification notification)
    {
        one.Peer.Notifications++;
        bool isEnd = !notification.Response.Code.IsSuccess;
        CoapResponse response = isEnd ? notification.Response : Cut(one, notification.Response with { Observe = one.NextSequence() });
        Action? taken = notification.Taken;
        bool isCheck = layer.NowMs - one.ConfirmedMs >= CheckMs;
        // Who has never answered may not know of it, and a NON would go on for hours.
        if (notification.IsConfirmable || isEnd || isCheck || !one.Peer.IsReached)
        {
            Action<TransmissionOutcome>? told = isEnd ? null : outcome => Note(one, outcome, taken);
            layer.SendConfirmable(one.Peer, response, one.Token, told);
        }
        else
        {
            one.LastNonId = layer.Send(one.Peer, response, one.Token);
            own.NextNonMs = layer.NowMs + NonIntervalMs;
            taken?.Invoke();
        }

        if (isEnd) Cancel(one);
    }

    private CoapResponse Cut(Observation one, CoapResponse response)
    {
        int exponent = one.Peer.IsVerified ? blockExponent : Math.Min(blockExponent, UnverifiedExponent);
        Block? asked = one.Block is { } block ? block with { Number = 0 } : null;
        BlockCutter.TryCut(response, asked, exponent, tellSize: false, out CoapResponse cut);
        // An event, or one of several topics, cannot be read again.
        if (cut.Block2 is { More: true } && one.Transfer is { } transfer) kept.Keep(one.Peer, transfer, response with { Observe = null });
        return cut;
    }

    private void Note(Observation one, TransmissionOutcome outcome, Action? taken)
    {
        if (outcome == TransmissionOutcome.Acknowledged)
        {
            one.ConfirmedMs = layer.NowMs;
            if (!one.HasEnded) taken?.Invoke();
        }
        else if (outcome == TransmissionOutcome.Reset)
        {
            if (!one.HasEnded) Cancel(one);
        }
        else
        {
            EndAll(one.Peer);
        }
    }

    private sealed class PeerObservations
    {
        public List<Observation> All { get; } = [];

        /// <summary>Those with something new, one after the other.</summary>
        public Queue<Observation> Signalled { get; } = new();

        /// <summary>When the next may go after a NON.</summary>
        public long NextNonMs { get; set; }

        public bool IsScheduled { get; set; }

        public bool IsTelling { get; set; }
    }
}
