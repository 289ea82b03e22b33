using System.Diagnostics.CodeAnalysis;
using EdgeBroker.Core.Messages;

namespace EdgeBroker.Core.Retained;

/// <summary>
/// Reads retained values and tombstones for another node, a bounded part at a time. One thread; whoever does not read to the end disposes of it.
/// </summary>
public sealed class RetainedReader : IDisposable
{
    private readonly RetainedWalk _walk;

    internal RetainedReader(RetainedWalk walk, long through) => (_walk, Through) = (walk, through);

    /// <summary>The place in the order of changes up to which it reads.</summary>
    public long Through { get; }

    /// <summary>Whether all has been read.</summary>
    public bool IsDone => _walk.IsDone;

    /// <summary>Takes a copy of the next one; false at the end, and when none was found in a good part of the tree: then <see cref="IsDone"/> tells.</summary>
    public bool TryTake([NotNullWhen(true)] out Message? message)
    {
        while (_walk.TryTake(out message))
        {
            // The broker's own topics are each node's.
            if (!Broker.IsSys(message.Topic)) return true;
        }

        return false;
    }

    /// <inheritdoc/>
    public void Dispose() => _walk.GiveUp();
}
