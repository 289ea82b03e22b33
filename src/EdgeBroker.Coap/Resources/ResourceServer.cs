using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Coap.Resources;

/// <summary>
/// A server of resources over the message layer: reads requests, puts bodies together, finds the resource, cuts responses into blocks, and keeps observers. One
/// thread at a time.
/// </summary>
public sealed class ResourceServer : IRequestHandler
{
    private readonly Site _site;
    private readonly BlockAssembly _assembly;
    private readonly Action<Exception> _fault;

    /// <param name="site">The resources.</param>
    /// <param name="limits">What peers may take.</param>
    /// <param name="output">Sends datagrams.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Spreads time-outs and begins message ids.</param>
    /// <param name="fault">Is told of an exception that a resource has let out: a bug, which costs one request.</param>
    public ResourceServer(Site site, CoapLimits limits, IDatagramOutput output, TimeProvider time, Random random, Action<Exception> fault)
    {
        _site = site;
        _fault = fault;
        _assembly = new BlockAssembly(limits);
        KeptBodies = new KeptBodies(limits.MaxAssemblyBytes);
        BlockExponent = Block.ExponentOf(limits.BlockSize);
        Layer = new MessageLayer(limits, this, output, time, random);
        Observers = new Observers(Layer, BlockExponent, KeptBodies);
    }

    /// <summary>What is below.</summary>
    public MessageLayer Layer { get; }

    /// <summary>How many observe; any thread.</summary>
    public int ObservationCount => Observers.Count;

    /// <summary>Bytes that peers have made it keep, but for what resources keep; any thread.</summary>
    public long MemoryBytes => Layer.MemoryBytes + _assembly.MemoryBytes + KeptBodies.MemoryBytes;

    /// <summary>Is told of a peer that is forgotten, when nothing is kept of it any more; null: nobody.</summary>
    public Action<Peer>? Forgotten { get; set; }

    /// <summary>Is told of a peer that is not remembered since there are too many, and whether of all or of its network; null: nobody.</summary>
    public Action<PeerEndPoint, bool>? Refused { get; set; }

    internal Observers Observers { get; }

    internal KeptBodies KeptBodies { get; }

    internal int BlockExponent { get; }

    /// <inheritdoc/>
    public void Handle(in CoapMessage request, Exchange exchange)
    {
        if (!CoapRequest.TryRead(request, out CoapRequest read, out CoapCode refusal, out string why))
        {
            exchange.Respond(CoapResponse.Because(refusal, why));
            return;
        }

        var pending = new PendingRequest(this, exchange, read);
        if (_site.Find(read.Path) is not { } resource)
        {
            pending.Refuse(CoapCode.NotFound, "there is no such resource");
        }
        else if (read.Block1 is not null)
        {
            if (_assembly.Take(exchange.Peer, read, BlockExponent, Layer.NowMs) is { } answer) pending.Send(answer);
            else Dispatch(resource, pending);
        }
        else if (read.Payload.Length > Layer.Limits.MaxBodyBytes)
        {
            pending.Send(new CoapResponse(CoapCode.RequestEntityTooLarge) { Size1 = (uint)Layer.Limits.MaxBodyBytes });
        }
        else if (GoesOn(exchange.Peer, read))
        {
            ContinueBody(pending);
        }
        else
        {
            Dispatch(resource, pending);
        }
    }

    /// <inheritdoc/>
    public void OnFree(Peer peer) => Observers.Tell(peer);

    /// <inheritdoc/>
    public void OnReset(Peer peer, ushort messageId) => Observers.OnReset(peer, messageId);

    /// <inheritdoc/>
    public void OnSweep() => Observers.Check();

    /// <inheritdoc/>
    public void OnForgotten(Peer peer)
    {
        Observers.EndAll(peer);
        _assembly.Forget(peer);
        (peer.State as IDisposable)?.Dispose();
        peer.State = null;
        KeptBodies.Forget(peer);
        Forgotten?.Invoke(peer);
    }

    /// <inheritdoc/>
    public void OnRefused(in PeerEndPoint peer, bool ofNetwork) => Refused?.Invoke(peer, ofNetwork);

    /// <summary>Looks at everything a peer observes.</summary>
    public void ForEachObserved(Peer peer, Action<IObserved> look)
    {
        foreach (Observation one in Observers.Of(peer)) look(one.Observed);
    }

    /// <summary>Ends all observations of a peer, tells it so once, and forgets the peer.</summary>
    public void Dismiss(Peer peer, CoapResponse last)
    {
        if (peer.IsForgotten) return;
        EndObservations(peer, last, isForGood: true);
        Layer.Forget(peer);
    }

    /// <summary>
    /// Ends all observations, and tells each observer so once, by a NON that nobody acknowledges; but for those that go on when it comes back.
    /// </summary>
    public void EndAllObservations(CoapResponse last)
    {
        foreach (Peer peer in Layer.Peers) EndObservations(peer, last, isForGood: false);
    }

    private void EndObservations(Peer peer, CoapResponse last, bool isForGood)
    {
        foreach (Observation one in Observers.Of(peer))
        {
            if (isForGood || !one.Observed.IsDurable) Layer.Send(peer, last, one.Token);
            if (isForGood) Observers.Cancel(one);
            else Observers.End(one);
        }
    }

    // Whether a response that was begun goes on, which cannot be made again. That of a GET can, unless it was a notification; that of a FETCH, if it says again
    // what it fetches: what is kept may be of another.
    private bool GoesOn(Peer peer, CoapRequest request)
    {
        bool isGet = request.Method == CoapCode.Get;
        if (request.Block2 is not { Number: > 0 })
        {
            if (isGet && KeptBodies.IsKept(peer) && KeptBodies.Find(peer, request.TransferKey) is not null) KeptBodies.Forget(peer);
            return false;
        }

        if (isGet) return KeptBodies.IsKept(peer) && KeptBodies.Find(peer, request.TransferKey) is not null;
        return request.Method != CoapCode.Fetch || request.Payload.Length == 0;
    }

    private void ContinueBody(PendingRequest pending)
    {
        if (KeptBodies.Find(pending.Peer, pending.Request.TransferKey) is { } whole) pending.Respond(whole);
        else pending.Refuse(CoapCode.RequestEntityIncomplete, "the response is not kept any more: ask again");
    }

    private void Dispatch(IResource resource, PendingRequest pending)
    {
        if (pending.Request is { Observe: 1 } && pending.Request.Method == CoapCode.Get) Observers.Cancel(pending.Peer, pending.Token);
        try
        {
            resource.Handle(pending);
        }
        catch (Exception exception)
        {
            _fault(exception);
            if (!pending.IsAnswered) pending.Refuse(CoapCode.InternalServerError, "a bug; the log of the broker has it");
        }
    }
}
