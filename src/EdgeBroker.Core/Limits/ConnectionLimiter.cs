using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EdgeBroker.Core.Limits;

/// <summary>Who may come in: connections in all, of one network, and in a time. Any thread.</summary>
public sealed class ConnectionLimiter
{
    // A refused client is told why, as long as that costs next to nothing; in a flood it is just closed.
    private static readonly RateLimit RejectGrace = new(20, TimeSpan.FromSeconds(1), 20);

    private readonly Lock _lock = new();
    private readonly Dictionary<ClientNetwork, int> _openByNetwork = [];
    private readonly NetworkTable _rates = new();
    private readonly BrokerLimits _limits;
    private readonly BrokerClock _clock;
    private TokenBucket _courtesy;
    private int _open;

    internal ConnectionLimiter(BrokerLimits limits, BrokerClock clock)
    {
        _limits = limits;
        _clock = clock;
    }

    /// <summary>Connections that are in.</summary>
    public int OpenCount => Volatile.Read(ref _open);

    /// <summary>Networks that have connections.</summary>
    public int NetworkCount
    {
        get
        {
            lock (_lock.Alone()) return _openByNetwork.Count;
        }
    }

    /// <summary>Asks for one more connection. One that is admitted takes a place, to be given back with <see cref="Leave"/>.</summary>
    /// <param name="address">The client's; null: it has none, and limits by address do not concern it.</param>
    public Admission Enter(IPAddress? address)
    {
        ClientNetwork network = ClientNetwork.Of(address);
        LimitOptions options = _limits.Current;
        long nowMs = _clock.NowMs;
        lock (_lock.Alone())
        {
            if (Obstacle(options, network, nowMs) is not { } limit)
            {
                _open++;
                if (network != ClientNetwork.None) CollectionsMarshal.GetValueRefOrAddDefault(_openByNetwork, network, out _)++;
                return Admission.Granted;
            }

            return Refuse(limit, nowMs);
        }
    }

    /// <summary>Refuses a connection that its listener has no place for.</summary>
    public Admission RefuseForListener()
    {
        lock (_lock.Alone()) return Refuse(LimitKind.MaxListenerConnections, _clock.NowMs);
    }

    /// <summary>Gives the place back.</summary>
    public void Leave(IPAddress? address)
    {
        ClientNetwork network = ClientNetwork.Of(address);
        lock (_lock.Alone())
        {
            _open--;
            if (network == ClientNetwork.None) return;
            ref int open = ref CollectionsMarshal.GetValueRefOrNullRef(_openByNetwork, network);
            if (!Unsafe.IsNullRef(ref open) && --open == 0) _openByNetwork.Remove(network);
        }
    }

    internal void ForgetRates()
    {
        lock (_lock.Alone()) _rates.Clear();
    }

    private Admission Refuse(LimitKind limit, long nowMs)
    {
        _lock.MustBeHeld();
        _limits.Counters.Count(limit, LimitAction.Refused);
        bool mayHearWhy = _courtesy.HasRoom(RejectGrace, nowMs);
        if (mayHearWhy) _courtesy.Take(RejectGrace, 1, nowMs);
        return new Admission(limit, mayHearWhy);
    }

    private LimitKind? Obstacle(LimitOptions options, ClientNetwork network, long nowMs)
    {
        _lock.MustBeHeld();
        if (_limits.Memory.Stage >= MemoryStage.Refusing) return LimitKind.MaxMemory;
        if (_open >= options.MaxConnections) return LimitKind.MaxConnections;
        if (network == ClientNetwork.None) return null;
        if (options.MaxConnectionsPerIp is { } most && _openByNetwork.GetValueOrDefault(network) >= most) return LimitKind.MaxConnectionsPerIp;
        if (options.ConnectionsPerIp is not { } rate) return null;
        ref NetworkTable.Entry entry = ref _rates.FindOrAdd(network);
        if (!entry.Bucket.HasRoom(rate, nowMs)) return LimitKind.ConnectionsPerIp;
        entry.Bucket.Take(rate, 1, nowMs);
        return null;
    }
}
