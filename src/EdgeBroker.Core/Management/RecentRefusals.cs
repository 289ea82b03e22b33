using System.Text;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Management;

/// <summary>Refusals of one kind, to one client, for one cause.</summary>
/// <param name="What">What was refused: <c>connect</c>, <c>publish</c>, <c>subscribe</c>, or <c>limit</c>.</param>
/// <param name="ClientId">The client; null: it had no id yet.</param>
/// <param name="Address">Where it came from, without the port; null where the client id says it.</param>
/// <param name="About">The topic or filter of the last one; null: none.</param>
/// <param name="Cause">Why, with the rule or the key.</param>
/// <param name="ReasonCode">MQTT's reason code.</param>
/// <param name="Count">How many there were.</param>
/// <param name="FirstAt">When the first was.</param>
/// <param name="LastAt">When the last was.</param>
public sealed record RefusalView(
    string What, string? ClientId, string? Address, string? About, string Cause, int ReasonCode, long Count, DateTimeOffset FirstAt, DateTimeOffset LastAt)
{
    /// <summary>The user of the last one, as it was given; null: none, or anonymous.</summary>
    public string? User { get; init; }

    /// <summary>The listener of the last one, as configured; null: not told.</summary>
    public string? Listener { get; init; }

    /// <summary>What to look at, or to do; null: nothing comes to mind.</summary>
    public string? Hint { get; init; }
}

/// <summary>
/// Keeps the last refusals for those who ask why a client cannot do what it wants. Alike ones are counted together; the group that
/// has been quiet for longest makes room for a new one.
/// </summary>
/// <param name="time">The wall clock.</param>
public sealed class RecentRefusals(TimeProvider time) : BrokerEventSink
{
    private const int MostGroups = 256;

    // Of what a client chose: ids, topics, filters.
    private const int MostCharacters = 200;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string What, string? ClientId, string? Address, string Cause), RefusalView> _groups = new(MostGroups);

    /// <summary>The groups, the newest first.</summary>
    public IReadOnlyList<RefusalView> ToList()
    {
        lock (_lock.Alone()) return [.. _groups.Values.OrderByDescending(one => one.LastAt)];
    }

    /// <inheritdoc/>
    public override EventKinds Wanted => EventKinds.ConnectRefused | EventKinds.SubscribeRefused | EventKinds.PublishRefused | EventKinds.LimitReached;

    /// <inheritdoc/>
    public override void ConnectRefused(in ConnectRefusedEvent what) =>
        Note("connect", what.ClientId, HostOf(what.RemoteEndPoint), null, what.Explanation, what.Reason, what.UserName, what.Listener);

    /// <inheritdoc/>
    public override void SubscribeRefused(in RefusedEvent what) => Note("subscribe", what);

    /// <inheritdoc/>
    public override void PublishRefused(in RefusedEvent what) => Note("publish", what);

    /// <inheritdoc/>
    public override void LimitReached(in LimitReachedEvent what)
    {
        // Who is only held up is refused nothing.
        if (what.Action != LimitAction.Delayed) Note("limit", what.Who, null, null, what.Describe(), ReasonCode.QuotaExceeded);
    }

    private void Note(string kind, in RefusedEvent what) =>
        Note(kind, what.ClientId, null, TextOf(what.Topic), what.Cause ?? what.Reason.ToString(), what.Reason, what.UserName);

    private void Note(
        string what, string? clientId, string? address, string? about, string cause, ReasonCode reason, string? user = null, string? listener = null)
    {
        if (string.IsNullOrEmpty(clientId)) clientId = null;
        else clientId = Short(clientId);
        var key = (what, clientId, address, Short(cause));
        if (user is not null) user = Short(user);
        DateTimeOffset now = time.GetUtcNow();
        lock (_lock.Alone())
        {
            if (_groups.TryGetValue(key, out RefusalView? group))
            {
                _groups[key] = group with { About = about, ReasonCode = (int)reason, User = user, Listener = listener, Count = group.Count + 1, LastAt = now };
                return;
            }

            if (_groups.Count == MostGroups) _groups.Remove(_groups.MinBy(one => one.Value.LastAt).Key);
            _groups.Add(key, new RefusalView(what, clientId, address, about, key.Item4, (int)reason, 1, now, now)
            {
                User = user,
                Listener = listener,
                Hint = HintFor(what, reason),
            });
        }
    }

    private static string? HintFor(string what, ReasonCode reason) => reason switch
    {
        ReasonCode.BadUserNameOrPassword => "edgebroker passwd sets a password; auth.password_file names the file in use",
        ReasonCode.NotAuthorized when what == "connect" => "allow_anonymous of the listener, or a user and password",
        ReasonCode.NotAuthorized => "edgebroker acl test says which rule decides",
        ReasonCode.ConnectionRateExceeded or ReasonCode.QuotaExceeded or ReasonCode.ServerBusy => "[limits] in the configuration",
        ReasonCode.PacketTooLarge => "mqtt.max_packet_size",
        _ => null,
    };

    private static string TextOf(ReadOnlySpan<byte> text) => Short(Encoding.UTF8.GetString(text));

    private static string Short(string text) => text.Length <= MostCharacters ? text : text[..MostCharacters] + "...";

    private static string HostOf(string endPoint)
    {
        int colon = endPoint.LastIndexOf(':');
        return colon > 0 && !endPoint.StartsWith("unix:", StringComparison.Ordinal) ? endPoint[..colon].Trim('[', ']') : endPoint;
    }
}
