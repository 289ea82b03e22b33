using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;

namespace EdgeBroker.Coap.Resources;

/// <summary>A peer's interest in a resource (RFC 7641).</summary>
public sealed class Observation
{
    private const uint SequenceMask = 0xFF_FFFF;

    private readonly Observers _observers;
    private uint _sequence;

    internal Observation(Observers observers, Peer peer, byte[] token, IObserved observed, string? identity, Block? block, string? transfer, uint sequence)
    {
        _observers = observers;
        Peer = peer;
        Token = token;
        Observed = observed;
        Identity = identity;
        Block = block;
        Transfer = transfer;
        _sequence = sequence & SequenceMask;
    }

    /// <summary>Who observes.</summary>
    public Peer Peer { get; }

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded { get; internal set; }

    internal byte[] Token { get; }

    internal IObserved Observed { get; }

    /// <summary>Names who observes what, wherever the observer is; null: the end point does.</summary>
    internal string? Identity { get; }

    /// <summary>The block size that was asked for.</summary>
    internal Block? Block { get; }

    /// <summary>By what the rest of a notification in blocks is asked for; null: not known.</summary>
    internal string? Transfer { get; }

    /// <summary>Whether there may be something new.</summary>
    internal bool IsSignalled { get; set; }

    /// <summary>The message id of the last NON sent for it.</summary>
    internal ushort? LastNonId { get; set; }

    /// <summary>When the observer has last shown that it is there.</summary>
    internal long ConfirmedMs { get; set; }

    /// <summary>Says that there may be something new to be had of what is observed. By the server's thread.</summary>
    public void Signal() => _observers.Signal(this);

    /// <summary>Ends it without telling the observer.</summary>
    public void End() => _observers.End(this);

    internal uint NextSequence() => _sequence = (_sequence + 1) & SequenceMask;
}
