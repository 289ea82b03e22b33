using System.Collections.Concurrent;

namespace EdgeBroker.Cluster.Links;

/// <summary>
/// What waits to be sent on a link, in three classes. Any thread adds, publishers under a lock of theirs: it takes none. One thread takes. It refuses nothing;
/// who adds messages or retained values asks for room first.
/// </summary>
/// <param name="mostBytes">Bytes that messages may take, and retained values as well, before there is no room any more.</param>
internal sealed class LinkOutput(long mostBytes)
{
    private readonly ConcurrentQueue<byte[]>[] _queues = [new(), new(), new()];
    private readonly long[] _bytes = new long[3];
    private byte[] _current = [];
    private int _at;
    private FrameClass _currentClass;

    /// <summary>Called when something has been added where nothing waited; may be called under a lock of the adder's.</summary>
    public Action Added { get; set; } = static () => { };

    /// <summary>Whether nothing waits.</summary>
    public bool IsEmpty => BytesOf(FrameClass.Control) + BytesOf(FrameClass.Messages) + BytesOf(FrameClass.Bulk) == 0;

    /// <summary>Bytes of a class that wait.</summary>
    public long BytesOf(FrameClass of) => Volatile.Read(ref _bytes[(int)of]);

    /// <summary>Whether there is room in a class.</summary>
    public bool HasRoom(FrameClass of) => BytesOf(of) < mostBytes;

    /// <summary>Adds a frame, or the pieces of one.</summary>
    public void Add(FrameClass to, byte[] frames)
    {
        _queues[(int)to].Enqueue(frames);
        Interlocked.Add(ref _bytes[(int)to], frames.Length);
        Added();
    }

    /// <summary>Takes the next frame or piece; false: nothing waits.</summary>
    public bool TryTake(out ReadOnlyMemory<byte> piece)
    {
        if (_queues[(int)FrameClass.Control].TryDequeue(out byte[]? control))
        {
            piece = control;
            Interlocked.Add(ref _bytes[(int)FrameClass.Control], -control.Length);
            return true;
        }

        if (_at == _current.Length && !TryBegin(FrameClass.Messages) && !TryBegin(FrameClass.Bulk))
        {
            piece = default;
            return false;
        }

        int length = Frames.LengthOfFirst(_current.AsSpan(_at));
        piece = _current.AsMemory(_at, length);
        _at += length;
        Interlocked.Add(ref _bytes[(int)_currentClass], -length);
        return true;
    }

    private bool TryBegin(FrameClass of)
    {
        if (!_queues[(int)of].TryDequeue(out byte[]? frames)) return false;
        (_current, _at, _currentClass) = (frames, 0, of);
        return true;
    }
}
