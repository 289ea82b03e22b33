using System.Diagnostics.CodeAnalysis;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Topics;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Retained;

/// <summary>
/// A walk over the retained messages that match a filter, taken in slices over many turns: it holds its place, not the messages. What is removed before the
/// walk comes by is not met; what is set after the walk began is left out, since the walker gets it as an ordinary message.
/// </summary>
internal sealed class RetainedWalk
{
    // Nodes looked at under the lock before it is let go, found something or not.
    private const int SliceNodes = 256;
    private const int SliceMessages = 32;

    // And before whoever takes gets the chance to do something else.
    private const int MostSlices = 16;

    private readonly RetainedMessages _messages;
    private readonly byte[] _filter;
    private readonly bool _reservedToo;
    private readonly long _lastOrdinal;
    private readonly Stack<Place> _path = new();
    private readonly Queue<Message> _found = new(SliceMessages);

    /// <param name="messages">What is walked over.</param>
    /// <param name="start">Where it begins: the root, or the node of the filter's first levels, which have no wildcard.</param>
    /// <param name="filterAt">Where in the filter the level below the start begins; past the end when none is left.</param>
    /// <param name="filter">The filter.</param>
    /// <param name="reservedToo">Whether a leading wildcard meets topics that begin with $, as no subscriber's does.</param>
    public RetainedWalk(RetainedMessages messages, RetainedNode start, int filterAt, byte[] filter, bool reservedToo = false)
    {
        _reservedToo = reservedToo;
        _messages = messages;
        _filter = filter;
        _lastOrdinal = messages.LastOrdinal;
        _path.Push(new Place(start, filterAt));
    }

    /// <summary>Whether all has been taken.</summary>
    public bool IsDone => _path.Count == 0 && _found.Count == 0;

    /// <summary>Takes the next message; false at the end, and when none was found in a good part of the tree: then <see cref="IsDone"/> tells.</summary>
    public bool TryTake([NotNullWhen(true)] out Message? message)
    {
        for (int slice = 0; !_found.TryDequeue(out message); slice++)
        {
            if (_path.Count == 0 || slice == MostSlices) return false;
            lock (_messages.Gate)
            {
                for (int i = 0; i < SliceNodes && _found.Count < SliceMessages && _path.Count > 0; i++) Step();
            }
        }

        return true;
    }

    /// <summary>Goes one node on: visits the place on top of the path, or its next child.</summary>
    private void Step()
    {
        Place place = _path.Pop();
        RetainedNode node = place.Node;
        if (place.FilterAt > _filter.Length)
        {
            // The filter's last level was this node's own.
            Take(node);
            return;
        }

        ReadOnlySpan<byte> level = TopicLevels.Cut(_filter.AsSpan(place.FilterAt), out _, out bool isLast);
        int nextFilterAt = isLast ? _filter.Length + 1 : place.FilterAt + level.Length + 1;
        bool multi = TopicLevels.IsMultiWildcard(level);
        if (!multi && !TopicLevels.IsSingleWildcard(level))
        {
            if (node.Children.Find(level) is { } child) _path.Push(new Place(child, nextFilterAt));
            return;
        }

        // "a/#" matches "a" too (4.7.1.2).
        if (multi && place.Slot == 0) Take(node);
        if (place.Slot >= node.Children.SlotCount) return;
        _path.Push(place with { Slot = place.Slot + 1 });
        if (node.Children.At(place.Slot) is not { } next) return;
        // A leading wildcard does not meet topics that begin with $ [MQTT-4.7.2-1].
        if (!_reservedToo && node.Parent is null && TopicName.IsReserved(next.Level)) return;
        _path.Push(new Place(next, multi ? place.FilterAt : nextFilterAt));
    }

    private void Take(RetainedNode node)
    {
        if (node.Value is { } message && message.Ordinal <= _lastOrdinal) _found.Enqueue(message);
    }

    /// <param name="Node">The node.</param>
    /// <param name="FilterAt">Where in the filter the level below the node begins; past the end when none is left.</param>
    /// <param name="Slot">The child to visit next.</param>
    private readonly record struct Place(RetainedNode Node, int FilterAt, int Slot = 0);
}
