using System.Collections.Concurrent;
using EdgeBroker.Coap.Dtls;
using EdgeBroker.Coap.Gateway;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Coap.Resources;
using EdgeBroker.Core;
using EdgeBroker.Core.Security;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Coap.Listeners;

/// <summary>
/// One listener's CoAP: runs the resource server on executor, one at a time, whoever brings them - the socket, the timer, an acknowledgement of the journal -
/// and sends what a callback has to say when it is over.
/// </summary>
internal sealed class CoapServer : ISerialExecutor, IDatagramOutput, IDisposable
{
    private readonly Lock _lock = new();
    private readonly Broker _broker;
    private readonly CoapDoor _door;
    private readonly TopicResource _topics;
    private readonly DurableObservations _durables;
    private readonly ITimer _timer;
    private readonly Action<List<(PeerEndPoint To, byte[] Datagram)>> _send;
    private readonly ConcurrentQueue<Action> _posted = new();
    private List<(PeerEndPoint To, byte[] Datagram)> _outbox = [];
    private List<(PeerEndPoint To, byte[] Datagram)>? _spare = [];
    private List<PeerEndPoint>? _ended;
    private int _depth;
    private int _isPosted;
    private long _armedMs = long.MaxValue;
    private bool _isClosed;

    /// <param name="broker">The broker.</param>
    /// <param name="authenticator">Who decides about peers.</param>
    /// <param name="limits">What peers may take.</param>
    /// <param name="door">How they come in.</param>
    /// <param name="time">The clock.</param>
    /// <param name="clients">The clients of all listeners.</param>
    /// <param name="send">Sends datagrams; never blocks, and keeps nothing of the list.</param>
    public CoapServer(
        Broker broker, IAuthenticator authenticator, CoapLimits limits, Replaceable<DoorSettings> door, TimeProvider time, CoapClients clients,
        Action<List<(PeerEndPoint To, byte[] Datagram)>> send)
    {
        _broker = broker;
        _send = send;
        _door = new CoapDoor(broker, authenticator, door, this, time, clients);
        _durables = clients.Durables;
        _topics = new TopicResource(broker, _door, this, _durables);
        var site = new Site();
        site.Add("ps", _topics, TopicResource.Link, withAllBelow: true);
        Resources = new ResourceServer(site, limits, this, time, new Random(), exception => broker.ReportFault(exception, "answering a CoAP request"));
        _door.Server = Resources;
        Resources.Forgotten = peer =>
        {
            if (peer.EndPoint.Association != 0) (_ended ??= []).Add(peer.EndPoint);
        };
        _door.Identify = peer => Identify?.Invoke(peer);
        _timer = time.CreateTimer(_ => Run(Due), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The resource server; its counters may be read by any thread.</summary>
    public ResourceServer Resources { get; }

    /// <summary>Says who is at the other end of an association; null: there are none. Calls nobody.</summary>
    public Func<PeerEndPoint, PeerIdentity?>? Identify { get; set; }

    /// <summary>Is told, holding no lock, of each association whose peer is forgotten.</summary>
    public Action<PeerEndPoint>? Ended { get; set; }

    /// <summary>Forgets a peer whose association has ended.</summary>
    public void Forget(PeerEndPoint peer, ClientEnding ending) => Run(() =>
    {
        if (Resources.Layer.Find(peer) is not { } found) return;
        if (found.State is CoapClient client) client.Ending = ending;
        Resources.Layer.Forget(found);
    });

    /// <summary>An association has begun: what its client observed before goes on. False: there is no room for it.</summary>
    public bool Welcome(PeerEndPoint peer)
    {
        bool hasRoom = false;
        Run(() =>
        {
            // From here on, so that of those that are silent the one heard of longest ago makes room, whether it has asked for something or not.
            if (Resources.Layer.TryRemember(peer) is not { } remembered) return;
            hasRoom = true;
            // Who has nothing to go on with is let in when it asks for something.
            if (Identify?.Invoke(peer) is not { UserName: { } user } proved || _durables.Of(proved.ClientId ?? user).Count == 0) return;
            _door.Enter(remembered, new TopicQuery(), _topics.Resume, refuse: null);
        });
        return hasRoom;
    }

    /// <summary>A peer's association was heard of from elsewhere.</summary>
    public void Move(PeerEndPoint peer, PeerEndPoint at) => Run(() => Resources.Layer.Find(peer)?.MoveTo(at));

    /// <summary>From here on what is to be sent is kept, so that it goes at once: several datagrams have come together.</summary>
    public void HoldOutput()
    {
        lock (_lock) _depth++;
    }

    /// <summary>Sends what was kept.</summary>
    public void ReleaseOutput()
    {
        lock (_lock) EndRun();
        Flush();
    }

    /// <summary>Takes a datagram.</summary>
    public void Receive(in PeerEndPoint from, ReadOnlySpan<byte> datagram)
    {
        lock (_lock)
        {
            if (_isClosed) return;
            _depth++;
            try
            {
                Resources.Layer.Receive(from, datagram);
            }
            catch (Exception exception)
            {
                _broker.ReportFault(exception, "a datagram of " + from);
            }
            finally
            {
                EndRun();
            }
        }

        Flush();
    }

    /// <inheritdoc/>
    public void Run(Action action)
    {
        lock (_lock)
        {
            if (_isClosed) return;
            _depth++;
            try
            {
                action();
            }
            catch (Exception exception)
            {
                _broker.ReportFault(exception, "a callback of CoAP");
            }
            finally
            {
                EndRun();
            }
        }

        Flush();
    }

    /// <inheritdoc/>
    public void Post(Action action)
    {
        _posted.Enqueue(action);
        if (Interlocked.Exchange(ref _isPosted, 1) == 0) ThreadPool.UnsafeQueueUserWorkItem(static one => one.RunPosted(), this, preferLocal: false);
    }

    /// <summary>Reports what goes wrong by mistake.</summary>
    public void Report(Exception exception, string during) => _broker.ReportFault(exception, during);

    /// <summary>Judges the peers by the users and rules now in force.</summary>
    public int Review()
    {
        int ended = 0;
        Run(() => ended = _door.Review(Resources));
        return ended;
    }

    /// <summary>Tells every observer that this is the end, once and without waiting for an acknowledgement, and answers nobody any more.</summary>
    public void Close()
    {
        Run(() => Resources.EndAllObservations(new CoapResponse(Codec.CoapCode.ServiceUnavailable) { MaxAge = 30 }));
        lock (_lock)
        {
            _isClosed = true;
            foreach (Peer peer in Resources.Layer.Peers)
            {
                if (peer.State is not CoapClient client) continue;
                client.Ending = ClientEnding.Stopping;
                client.Dispose();
            }
        }

        _timer.Dispose();
    }

    /// <inheritdoc/>
    void IDatagramOutput.Send(in PeerEndPoint to, ReadOnlySpan<byte> datagram) => _outbox.Add((to, datagram.ToArray()));

    /// <inheritdoc/>
    public void Dispose() => Close();

    private void RunPosted()
    {
        // What comes from here on is run by another.
        Interlocked.Exchange(ref _isPosted, 0);
        Run(() =>
        {
            for (int i = _posted.Count; i > 0 && _posted.TryDequeue(out Action? next); i--) Run(next);
        });
    }

    private void Due()
    {
        _armedMs = long.MaxValue;
        Resources.Layer.RunDue();
    }

    private void EndRun()
    {
        _depth--;
        long nextMs = Resources.Layer.NextDueMs;
        if (_depth > 0 || nextMs >= _armedMs) return;
        _armedMs = nextMs;
        _timer.Change(TimeSpan.FromMilliseconds(Math.Max(0, nextMs - Resources.Layer.NowMs)), Timeout.InfiniteTimeSpan);
    }

    // Outside of the lock: a system call for each.
    private void Flush()
    {
        List<(PeerEndPoint To, byte[] Datagram)> outbox;
        lock (_lock)
        {
            if (_depth > 0 || (_outbox.Count == 0 && _ended is null)) return;
            outbox = _outbox;
            _outbox = _spare ?? [];
            _spare = null;
        }

        try
        {
            if (outbox.Count > 0) _send(outbox);
        }
        catch (Exception exception)
        {
            // Whoever runs this - the socket's thread, the timer's, the journal's - goes on: these datagrams are lost as on the way.
            _broker.ReportFault(exception, "sending CoAP datagrams");
        }

        outbox.Clear();
        lock (_lock) _spare ??= outbox;
        TellEnded();
    }

    private void TellEnded()
    {
        List<PeerEndPoint>? ended;
        lock (_lock) (ended, _ended) = (_ended, null);
        if (ended is not null && Ended is { } tell) ended.ForEach(tell);
    }
}
