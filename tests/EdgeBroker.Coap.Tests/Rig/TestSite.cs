using System.Text;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;
using EdgeBroker.Coap.Resources;

namespace EdgeBroker.Coap.Tests.Rig;

/// <summary>The resources that the plugtests of ETSI and IETF ask for.</summary>
internal sealed class TestSite
{
    private readonly CoapRig _rig;

    public TestSite(CoapRig rig)
    {
        _rig = rig;
        Add("test", Test, new Link { Attributes = [("rt", "Type1 Type2"), ("if", "If1"), ("title", "Default test resource"), ("ct", "0")] });
        Add("seg1/seg2/seg3", request => Text(request, "three segments"));
        Add("query", request => Text(request, string.Join('&', request.Request.Query)));
        Add("separate", request => _rig.Server.Layer.Schedule(_rig.Server.Layer.NowMs + 1_000, () => Test(request)));
        Add("validate", Validate);
        Add("create1", Create);
        Add("multi-format", MultiFormat);
        Add("location", request => request.Respond(new CoapResponse(CoapCode.Created) { LocationPath = ["location1", "location2", "location3"] }));
        Add("large", request => Large(request), new Link { Attributes = [("rt", "Type3 block"), ("if", "If2 Foo"), ("sz", "1700")] });
        Add("large-update", LargeUpdate);
        Add("large-post", request => request.Respond(new CoapResponse(CoapCode.Changed) { Payload = Upper(request.Request.Payload) }));
        Add("obs", request => Observed(request, confirmable: true), new Link { Attributes = [("rt", "observe"), ("obs", null)] });
        Add("obs-non", request => Observed(request, confirmable: false));
        Add("fault", _ => throw new InvalidOperationException("a bug"));
    }

    public Site Site { get; } = new();

    /// <summary>Requests that were carried out.</summary>
    public int Executed { get; private set; }

    public byte[] LargeBody { get; set; } = [.. Enumerable.Range(0, 1_700).Select(i => (byte)('a' + (i % 26)))];

    public byte[] Stored { get; private set; } = [];

    public List<TestState> Observers { get; } = [];

    public CoapResponse State { get; private set; } = new(CoapCode.Content) { ContentFormat = ContentFormats.Text, Payload = "0"u8.ToArray() };

    /// <summary>Changes what the observers follow.</summary>
    public void Change(CoapResponse state)
    {
        State = state;
        foreach (TestState one in Observers.ToArray()) one.Change();
    }

    public void Change(string text) => Change(State with { Payload = Encoding.UTF8.GetBytes(text) });

    private static byte[] Upper(byte[] body) => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body).ToUpperInvariant());

    private static void Text(PendingRequest request, string text) =>
        request.Respond(new CoapResponse(CoapCode.Content) { ContentFormat = ContentFormats.Text, Payload = Encoding.UTF8.GetBytes(text) });

    private void Add(string path, Action<PendingRequest> handle, Link? link = null) => Site.Add(path, new Function(handle), link);

    private void Test(PendingRequest request)
    {
        Executed++;
        CoapCode method = request.Request.Method;
        if (method == CoapCode.Get) Text(request, "answer");
        else if (method == CoapCode.Put || method == CoapCode.Post) request.Respond(new CoapResponse(CoapCode.Changed));
        else if (method == CoapCode.Delete) request.Respond(new CoapResponse(CoapCode.Deleted));
        else request.Refuse(CoapCode.MethodNotAllowed, "no such method here");
    }

    private void Validate(PendingRequest request)
    {
        byte[] etag = BlockCutter.ETagOf(Stored);
        if (request.Request.Method == CoapCode.Get)
        {
            bool isSame = request.Request.ETags.Any(one => one.SequenceEqual(etag));
            request.Respond(new CoapResponse(isSame ? CoapCode.Valid : CoapCode.Content) { ETag = etag, Payload = isSame ? default : Stored });
        }
        else if (request.Request.IfMatch.Count > 0 && !request.Request.IfMatch.Any(one => one.SequenceEqual(etag)))
        {
            request.Refuse(CoapCode.PreconditionFailed, "it has changed");
        }
        else
        {
            Stored = request.Request.Payload;
            request.Respond(new CoapResponse(CoapCode.Changed));
        }
    }

    private void Create(PendingRequest request)
    {
        if (request.Request.IfNoneMatch && Stored.Length > 0)
        {
            request.Refuse(CoapCode.PreconditionFailed, "it is there");
            return;
        }

        Stored = request.Request.Payload;
        request.Respond(new CoapResponse(CoapCode.Created));
    }

    private static void MultiFormat(PendingRequest request)
    {
        ushort format = request.Request.Accept ?? ContentFormats.Text;
        if (format is not (ContentFormats.Text or ContentFormats.Json)) request.Refuse(CoapCode.NotAcceptable, "text or json");
        else request.Respond(new CoapResponse(CoapCode.Content) { ContentFormat = format, Payload = "1"u8.ToArray() });
    }

    private bool Large(PendingRequest request) => request.Respond(new CoapResponse(CoapCode.Content) { Payload = LargeBody });

    private void LargeUpdate(PendingRequest request)
    {
        Executed++;
        Stored = request.Request.Payload;
        request.Respond(new CoapResponse(CoapCode.Changed));
    }

    private void Observed(PendingRequest request, bool confirmable)
    {
        if (request.Request.Method == CoapCode.Put) Change(Encoding.UTF8.GetString(request.Request.Payload));
        if (request.Request.Method == CoapCode.Delete) Change(new CoapResponse(CoapCode.NotFound));
        if (request.Request.Method != CoapCode.Get)
        {
            request.Respond(new CoapResponse(request.Request.Method == CoapCode.Put ? CoapCode.Changed : CoapCode.Deleted));
            return;
        }

        string? identity = request.Request.Query.FirstOrDefault(one => one.StartsWith("c=", StringComparison.Ordinal));
        var state = new TestState(this, confirmable);
        if (!request.WantsToObserve || !request.TryObserve(state, identity, isWhole: false, State, out Observation observation))
        {
            request.Respond(State);
            return;
        }

        state.Begin(observation);
    }

    private sealed class Function(Action<PendingRequest> handle) : IResource
    {
        public void Handle(PendingRequest pending) => handle(pending);
    }
}

/// <summary>An observer's view of the site's state.</summary>
internal sealed class TestState(TestSite site, bool confirmable) : IObserved
{
    private Observation? _observation;
    private bool _isNew;

    public void Begin(Observation observation)
    {
        _observation = observation;
        if (!observation.HasEnded) site.Observers.Add(this);
    }

    public void Change()
    {
        _isNew = true;
        _observation!.Signal();
    }

    public bool TryNext(out Notification notification)
    {
        notification = new Notification(site.State, confirmable);
        bool isNew = _isNew;
        _isNew = false;
        return isNew;
    }

    public void Dispose() => site.Observers.Remove(this);
}
