using System.Diagnostics;

namespace EdgeBroker.Crash.Tests.History;

/// <summary>
/// Everything that happened in a run, in one order. The clients' states follow from it, so that they can be had as they were at any time: a power cut in the
/// past leaves clients that know what they knew then.
/// </summary>
public sealed class RunHistory
{
    private readonly Lock _lock = new();
    private readonly Func<long> _diskPosition;
    private readonly List<HistoryEvent> _events = [];
    private readonly List<SentMessage> _messages = [];
    private readonly Dictionary<(int Publisher, int Number), int> _byName = [];
    private readonly int[] _counts = new int[Enum.GetValues<EventKind>().Length];

    /// <param name="clients">The clients' ids by their numbers.</param>
    /// <param name="diskPosition">How far the disk's log has come.</param>
    public RunHistory(IReadOnlyList<string> clients, Func<long> diskPosition)
    {
        Clients = clients;
        _diskPosition = diskPosition;
    }

    /// <summary>The clients' ids by their numbers.</summary>
    public IReadOnlyList<string> Clients { get; }

    /// <summary>The messages by their index. Read it only while nobody appends.</summary>
    public IReadOnlyList<SentMessage> Messages => _messages;

    /// <summary>The events so far.</summary>
    public HistoryEvent[] Events
    {
        get
        {
            lock (_lock) return [.. _events];
        }
    }

    /// <summary>How many events there are.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _events.Count;
        }
    }

    /// <summary>How many events of a kind there are.</summary>
    public int CountOf(EventKind kind)
    {
        lock (_lock) return _counts[(int)kind];
    }

    /// <summary>Appends an event.</summary>
    public HistoryEvent Add(EventKind kind, int client, int packetId = 0, int message = -1, int number = 0, string text = "")
    {
        lock (_lock) return Append(kind, client, packetId, message, number, text);
    }

    /// <summary>Appends a message and that it is sent for the first time.</summary>
    public HistoryEvent AddPublish(SentMessage message, int packetId)
    {
        lock (_lock)
        {
            int index = _messages.Count;
            _messages.Add(message);
            _byName.Add((message.Publisher, message.Number), index);
            return Append(EventKind.PublishSent, message.Publisher, packetId, index, 0, "");
        }
    }

    /// <summary>The message of an index.</summary>
    public SentMessage MessageAt(int index)
    {
        lock (_lock) return _messages[index];
    }

    /// <summary>The message that a payload is of; -1: none that was sent like this.</summary>
    public int Find(string topic, byte[] payload)
    {
        if (!SentMessage.TryReadName(payload, out int publisher, out int number)) return -1;
        SentMessage message;
        int index;
        lock (_lock)
        {
            if (!_byName.TryGetValue((publisher, number), out index)) return -1;
            message = _messages[index];
        }

        return message.Topic == topic && message.Payload().AsSpan().SequenceEqual(payload) ? index : -1;
    }

    /// <summary>The history up to where the disk's log had come to a position: what had happened for certain when the power was cut there.</summary>
    public RunHistory UpTo(long diskPosition)
    {
        var past = new RunHistory(Clients, () => diskPosition);
        foreach (HistoryEvent one in Events.TakeWhile(e => e.DiskPosition <= diskPosition))
        {
            past._events.Add(one);
            past._counts[(int)one.Kind]++;
            if (one.Kind != EventKind.PublishSent) continue;
            SentMessage message = MessageAt(one.Message);
            past._messages.Add(message);
            past._byName.Add((message.Publisher, message.Number), one.Message);
        }

        return past;
    }

    /// <summary>Writes it to a file, a line an event.</summary>
    public void WriteTo(string path, IEnumerable<string> head)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllLines(path, [.. head, .. Events.Select(e => e.Line(this))]);
    }

    private HistoryEvent Append(EventKind kind, int client, int packetId, int message, int number, string text)
    {
        long nanoseconds = (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));
        var one = new HistoryEvent(kind, client, packetId, message, number, text, _diskPosition(), nanoseconds);
        _events.Add(one);
        _counts[(int)kind]++;
        return one;
    }
}
