using System.Diagnostics.CodeAnalysis;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Retained;

/// <summary>
/// A walk over the retained messages that match a filter, taken in slices over many iterations: it holds its place, not the messages. What is removed before
/// the walk comes by is not met; what is set after the walk began is left out, since the walker gets it as an ordinary message. The nodes on its way from the
/// start to where it is stand until it has left them: whoever does not walk to the end gives it up.
/// </summary>
internal sealed class RetainedWalk
{
    // Nodes looked at under the lock before it is let go, found something or not.
    private const int SliceNodes = 256;
    private const int SliceMessages = 32;

    // And before whoever takes gets the chance to do something else.
    private const int MostSlices = 16;

    private readonly RetainedMessages _messages;
    private readonly RetainedTree _tree;
    private readonly byte[] _filter;
    private readonly bool _reservedToo;
    private readonly long _lastOrdinal;
    private readonly Stack<Place> _path = new();
    private readonly Queue<Message> _found = new();
    private bool _isGivenUp;

    /// <summary>Under the lock.</summary>
    /// <param name="messages">What is walked over.</param>
    /// <param name="start">Where it begins: the root, or the node of the filter's first levels, which have no wildcard; 0: there is nothing.</param>
    /// <param name="filterAt">Where in the filter the level below the start begins; past the end when none is left.</param>
    /// <param name="filter">The filter.</param>
    /// <param name="reservedToo">Whether a leading wildcard meets topics that begin with $, as no subscriber's does.</param>
    public RetainedWalk(RetainedMessages messages, uint start, int filterAt, byte[] filter, bool reservedToo = false)
    {
        _reservedToo = reservedToo;
        _messages = messages;
        _tree = messages.Tree;
        _filter = filter;
        _lastOrdinal = messages.LastOrdinal;
        if (start != 0) Enter(new Place(start, filterAt, Siblings: false));
        else GC.SuppressFinalize(this);
    }

    ~RetainedWalk() => GiveUp();

    /// <summary>Whether all has been taken.</summary>
    public bool IsDone => _path.Count == 0 && _found.Count == 0;

    /// <summary>When set, what has not expired by this time of the broker's clock is left out.</summary>
    public long OnlyExpiredAtMs { get; set; } = Message.Never;

    /// <summary>When set, tombstones are met, too, and what has not changed after this place in the order is left out.</summary>
    public long? SinceOrdinal { get; init; }

    /// <summary>The one given up before it; for <see cref="RetainedMessages"/>.</summary>
    public RetainedWalk? NextGivenUp { get; set; }

    /// <summary>Nobody takes anything from it any more. Takes no lock: whoever next changes retained messages has it leave the nodes on its way.</summary>
    public void GiveUp()
    {
        GC.SuppressFinalize(this);
        if (_isGivenUp || _path.Count == 0) return;
        _isGivenUp = true;
        _messages.GiveUp(this);
    }

    /// <summary>Leaves the nodes on its way, under the lock.</summary>
    public void Leave()
    {
        while (_path.TryPop(out Place place)) _tree.Release(place.Node);
    }

    /// <summary>
    /// Takes a copy of the next message; false at the end, and when none was found in a good part of the tree: then <see cref="IsDone"/> tells.
    /// </summary>
    public bool TryTake([NotNullWhen(true)] out Message? message)
    {
        for (int slice = 0; !_found.TryDequeue(out message); slice++)
        {
            if (_path.Count == 0 || slice == MostSlices) return false;
            lock (_messages.SyncRoot.Alone())
            {
                for (int i = 0; i < SliceNodes && _found.Count < SliceMessages && _path.Count > 0; i++) Step();
            }

            if (_path.Count == 0) GC.SuppressFinalize(this);
        }

        return true;
    }

    /// <summary>Goes one node on: into the node on top of the path, or out of it to the next.</summary>
    private void Step()
    {
        Place place = _path.Pop();
        if (!place.Visited)
        {
            _path.Push(place with { Visited = true });
            Visit(place);
            return;
        }

        uint next = place.Siblings ? _tree.Next(place.Node) : 0;
        // First in, then out: what only holds the next node in place is the node before it, or its parent.
        if (next != 0) Enter(new Place(next, place.FilterAt, Siblings: true));
        _tree.Release(place.Node);
    }

    private void Visit(Place place)
    {
        if (place.FilterAt > _filter.Length)
        {
            // The filter's last level was this node's own.
            Take(place.Node);
            return;
        }

        ReadOnlySpan<byte> level = TopicLevels.Cut(_filter.AsSpan(place.FilterAt), out _, out bool isLast);
        int nextFilterAt = isLast ? _filter.Length + 1 : place.FilterAt + level.Length + 1;
        bool multi = TopicLevels.IsMultiWildcard(level);
        bool every = multi || TopicLevels.IsSingleWildcard(level);
        // "a/#" matches "a" too (4.7.1.2).
        if (multi) Take(place.Node);
        uint child = every ? _tree.FirstChild(place.Node) : _tree.Child(place.Node, level);
        if (child != 0) Enter(new Place(child, multi ? place.FilterAt : nextFilterAt, Siblings: every));
    }

    /// <summary>Stands on a node. One that a leading wildcard does not meet [MQTT-4.7.2-1] is only passed.</summary>
    private void Enter(Place place)
    {
        _tree.Hold(place.Node);
        _path.Push(place with { Visited = place.Siblings && !_reservedToo && _tree.IsReserved(place.Node) });
    }

    private void Take(uint node)
    {
        if (SinceOrdinal is { } since)
        {
            if (_tree.HeadOf(node) is { } any && any.Ordinal > since && any.Ordinal <= _lastOrdinal) _found.Enqueue(_tree.Copy(node));
            return;
        }

        if (_tree.HeadOf(node) is not { IsTombstone: false } head || head.Ordinal > _lastOrdinal) return;
        if (OnlyExpiredAtMs == Message.Never || head.ExpiresAtMs <= OnlyExpiredAtMs) _found.Enqueue(_tree.Copy(node));
    }

    /// <param name="Node">The node.</param>
    /// <param name="FilterAt">Where in the filter the level below the node begins; past the end when none is left.</param>
    /// <param name="Siblings">Whether its siblings are to be visited after it.</param>
    /// <param name="Visited">Whether it has been visited: it is on the path for its children.</param>
    private readonly record struct Place(uint Node, int FilterAt, bool Siblings, bool Visited = false);
}
