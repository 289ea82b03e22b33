using EdgeBroker.Cluster.Forwarding;
using EdgeBroker.Cluster.Links;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Retained;

namespace EdgeBroker.Cluster.Retained;

/// <summary>
/// Sends a node the retained values and tombstones it does not have: first all that changed after where it says it is, then each that is set here. Only on the
/// thread that serves the cluster.
/// </summary>
/// <param name="messages">The values.</param>
/// <param name="link">Where they go.</param>
internal sealed class RetainedFeed(RetainedMessages messages, PeerLink link) : IDisposable
{
    private RetainedReader? _reader;
    private long? _asked;

    /// <summary>Whether nothing is left to be sent.</summary>
    public bool IsIdle => _reader is null && _asked is null;

    /// <summary>Sends all after a place in the order of changes, once what is being sent is.</summary>
    public void Ask(long since) => _asked = Math.Min(_asked ?? long.MaxValue, since);

    /// <summary>Sends a value that was just set; one for which there is no room is sent later.</summary>
    /// <param name="row">The value, or its tombstone.</param>
    /// <param name="nowMs">The broker clock's time.</param>
    public void Send(Message row, long nowMs)
    {
        if (link.Output.HasRoom(FrameClass.Bulk)) Write(row, nowMs);
        else Ask(row.Ordinal - 1);
    }

    /// <summary>Sends as much as there is room for.</summary>
    public void Run(long nowMs)
    {
        while (link.Output.HasRoom(FrameClass.Bulk))
        {
            if (_reader is null)
            {
                if (_asked is not { } since) return;
                _asked = null;
                _reader = messages.ReadSince(since);
            }

            if (_reader.TryTake(out Message? row))
            {
                Write(row, nowMs);
            }
            else if (_reader.IsDone)
            {
                SendThrough(_reader.Through);
                _reader.Dispose();
                _reader = null;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _reader?.Dispose();

    private void Write(Message row, long nowMs)
    {
        // What is over is over everywhere; what has no stamp yet gets one, and is sent then.
        if (row.IsExpired(nowMs) || row.Stamp.IsNone) return;
        link.Output.Add(FrameClass.Bulk, MessageFrames.WriteRow(Publication.Of(row, nowMs)));
    }

    // Behind the rows, and so of their class.
    private void SendThrough(long through)
    {
        using BodyWriter body = BodyWriter.Begin();
        body.Int64(through);
        link.Output.Add(FrameClass.Bulk, Frames.Of(FrameType.RetainedThrough, body.Written));
    }
}
