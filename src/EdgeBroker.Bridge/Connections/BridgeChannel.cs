using System.Text;
using EdgeBroker.Client;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Connections;

/// <summary>
/// What the lanes of one connection share: its packet identifiers, its pace, and the signs that the other side goes on. Guarded by the connection's lock, which
/// is taken as a leaf, under a session's. The main lane's identifiers are its session's own, so that its exchanges at QoS 2 go on after a restart; those of the
/// other lanes, at QoS 1, are given out here, half the range away from where the main lane is.
/// </summary>
/// <param name="options">The bridge as configured.</param>
/// <param name="remote">The connection.</param>
/// <param name="clock">The broker's clock.</param>
internal sealed class BridgeChannel(BridgeOptions options, PacketConnection remote, BrokerClock clock)
{
    /// <summary>Identifiers that are given out to the lanes with a name; the main lane has no more in flight, or it would meet them.</summary>
    public const int Range = Identifiers / 4;

    private const int Identifiers = ushort.MaxValue;
    private const int Distance = Identifiers / 2;

    private readonly Dictionary<ushort, (BridgeLink Link, ushort SessionPacketId)> _lent = [];
    private TokenBucket _pace;
    private int _mainId = 1;
    private int _next;
    private int _open;
    private bool _wantsRoom;
    private bool _hasProgress;
    private byte[]? _firstTopic;
    private long _progressAtMs = clock.NowMs;

    /// <summary>Asked for when there is something for the pump to do.</summary>
    public Signal PumpRequest { get; } = new();

    /// <summary>The connection.</summary>
    public PacketConnection Remote => remote;

    /// <summary>Guards it, and the connection's output.</summary>
    public Lock SyncRoot => remote.SyncRoot;

    /// <summary>Messages sent whose acknowledgement is awaited, and since when nothing has moved. Takes the lock.</summary>
    public (int Open, long ProgressAtMs) Progress
    {
        get
        {
            lock (SyncRoot.Leaf()) return (_open, _progressAtMs);
        }
    }

    /// <summary>Whether the pace for all lanes lets a message go. A hint without the lock.</summary>
    public bool HasPace(long nowMs) => options.PublishRate is not { } rate || _pace.HasRoom(rate, nowMs);

    /// <summary>When it lets one go, by the broker's clock.</summary>
    public long PaceRoomAtMs => options.PublishRate is { } rate ? _pace.RoomAtMs(rate) : 0;

    /// <summary>The connection begins to be used; from here on nothing moving counts. Takes the lock.</summary>
    public void Begin()
    {
        lock (SyncRoot.Leaf()) _progressAtMs = clock.NowMs;
    }

    /// <summary>The packet identifier that a message goes under; false: a lane uses it that was never answered. Under the lock.</summary>
    /// <param name="link">The lane.</param>
    /// <param name="isMain">Whether it is the main lane.</param>
    /// <param name="sessionPacketId">The identifier that the lane's session gave it.</param>
    /// <param name="packetId">The identifier on the connection.</param>
    public bool TryAssign(BridgeLink link, bool isMain, ushort sessionPacketId, out ushort packetId)
    {
        SyncRoot.MustBeHeld();
        packetId = sessionPacketId;
        if (isMain)
        {
            _mainId = sessionPacketId;
            return !_lent.ContainsKey(sessionPacketId);
        }

        if (_lent.Count >= Range) return false;
        do
        {
            _next = (_next + 1) % Range;
            packetId = (ushort)(((_mainId + Distance + _next) % Identifiers) + 1);
        }
        while (_lent.ContainsKey(packetId));
        _lent.Add(packetId, (link, sessionPacketId));
        return true;
    }

    /// <summary>
    /// Whose message an acknowledgement is for, and its identifier in that lane's session; an identifier that was lent is free again. Takes the lock.
    /// </summary>
    public (BridgeLink Link, ushort SessionPacketId) Find(ushort packetId, BridgeLink main)
    {
        lock (SyncRoot.Alone()) return _lent.Remove(packetId, out (BridgeLink Link, ushort SessionPacketId) lent) ? lent : (main, packetId);
    }

    /// <summary>A message was written. Under the lock.</summary>
    public void NoteSent(QoS qos, byte[] topic, long nowMs)
    {
        SyncRoot.MustBeHeld();
        if (options.PublishRate is { } rate) _pace.Take(rate, 1, nowMs);
        if (qos == QoS.AtMostOnce) return;
        if (_open++ == 0) _progressAtMs = nowMs;
        if (!_hasProgress) _firstTopic ??= topic;
    }

    /// <summary>The other side goes on. Takes the lock.</summary>
    /// <param name="isDone">Whether it is done with a message.</param>
    public void NoteProgress(bool isDone)
    {
        lock (SyncRoot.Alone())
        {
            if (isDone && _open > 0) _open--;
            _progressAtMs = clock.NowMs;
            _hasProgress = true;
        }
    }

    /// <summary>
    /// What a connection's end looks like from here: a cloud that does not allow a topic closes the connection over it, and says nothing. Takes the lock.
    /// </summary>
    public MqttException Explain(MqttException failure)
    {
        lock (SyncRoot.Alone())
        {
            if (_firstTopic is null || _hasProgress || failure.Layer != FailureLayer.Network) return failure;
            string text = $"{failure.Message} It had acknowledged nothing of what was sent, the first to {Encoding.UTF8.GetString(_firstTopic)}; "
                + "if that goes on, check that the other side allows this topic to this client.";
            return new MqttException(text, failure.Reason, failure);
        }
    }

    /// <summary>Whether the output is full; then the pump is asked for when it has room. Takes the lock.</summary>
    public bool AwaitRoom()
    {
        lock (SyncRoot.Leaf())
        {
            if (!remote.IsFull) return false;
            _wantsRoom = true;
            return true;
        }
    }

    /// <summary>The output has room again. Under the lock.</summary>
    public void OnRoom()
    {
        if (!_wantsRoom) return;
        _wantsRoom = false;
        PumpRequest.Set();
    }
}
