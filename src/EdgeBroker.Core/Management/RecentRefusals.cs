using System.Text;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;
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
    string What, string? ClientId, string? Address, string? About, string Cause, int ReasonCode, long Count, DateTimeOffset FirstAt, DateTimeOffset LastAt);

/// <summary>
/// Keeps the last refusals for those who ask why a client cannot do what it wants, and passes all events on. Alike ones are counted together; the group that
/// has been quiet for longest makes room for a new one.
/// </summary>
/// <param name="next">Who is told as well.</param>
/// <param name="time">The wall clock.</param>
public sealed class RecentRefusals(IBrokerEvents next, TimeProvider time) : IBrokerEvents
{
    private const int MostGroups = 256;

    // Of what a client chose: ids, topics, filters.
    private const int MostCharacters = 200;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string What, string? ClientId, string? Address, string Cause), RefusalView> _groups = new(MostGroups);

    /// <summary>The groups, the newest first.</summary>
    public IReadOnlyList<RefusalView> ToList()
    {
        lock (_lock) return [.. _groups.Values.OrderByDescending(one => one.LastAt)];
    }

    /// <inheritdoc/>
    public void ClientConnected(in ClientDescription client, bool sessionPresent) => next.ClientConnected(client, sessionPresent);

    /// <inheritdoc/>
    public void ClientDisconnected(in ClientDescription client, ReasonCode reason, string explanation) => next.ClientDisconnected(client, reason, explanation);

    /// <inheritdoc/>
    public void ConnectRefused(string remoteEndPoint, string? clientId, ReasonCode reason, string explanation)
    {
        Note("connect", clientId, HostOf(remoteEndPoint), null, explanation, reason);
        next.ConnectRefused(remoteEndPoint, clientId, reason, explanation);
    }

    /// <inheritdoc/>
    public void SessionEnded(string clientId) => next.SessionEnded(clientId);

    /// <inheritdoc/>
    public void Subscribed(string clientId, ReadOnlySpan<byte> filter, ReasonCode outcome)
    {
        if (outcome.IsError()) Note("subscribe", clientId, null, TextOf(filter), outcome.ToString(), outcome);
        next.Subscribed(clientId, filter, outcome);
    }

    /// <inheritdoc/>
    public void Unsubscribed(string clientId, ReadOnlySpan<byte> filter) => next.Unsubscribed(clientId, filter);

    /// <inheritdoc/>
    public void PublishRefused(string clientId, ReadOnlySpan<byte> topic, ReasonCode reason)
    {
        Note("publish", clientId, null, TextOf(topic), reason.ToString(), reason);
        next.PublishRefused(clientId, topic, reason);
    }

    /// <inheritdoc/>
    public void PublishRefused(string clientId, ReadOnlySpan<byte> topic, ReasonCode reason, string cause)
    {
        Note("publish", clientId, null, TextOf(topic), cause, reason);
        next.PublishRefused(clientId, topic, reason, cause);
    }

    /// <inheritdoc/>
    public void SubscribeDenied(string clientId, ReadOnlySpan<byte> filter, string cause)
    {
        Note("subscribe", clientId, null, TextOf(filter), cause, ReasonCode.NotAuthorized);
        next.SubscribeDenied(clientId, filter, cause);
    }

    /// <inheritdoc/>
    public void MessagesDropped(string clientId, DropReason reason, int count) => next.MessagesDropped(clientId, reason, count);

    /// <inheritdoc/>
    public void LimitReached(LimitKind limit, LimitAction action, string who, BrokerLimits limits)
    {
        // Who is only held up is refused nothing.
        if (action != LimitAction.Delayed) Note("limit", who, null, null, limits.Describe(limit), ReasonCode.QuotaExceeded);
        next.LimitReached(limit, action, who, limits);
    }

    /// <inheritdoc/>
    public void Fault(Exception exception, string where) => next.Fault(exception, where);

    /// <inheritdoc/>
    public void MemoryStageChanged(MemoryStage stage, long usedBytes, long limitBytes) => next.MemoryStageChanged(stage, usedBytes, limitBytes);

    private void Note(string what, string? clientId, string? address, string? about, string cause, ReasonCode reason)
    {
        if (string.IsNullOrEmpty(clientId)) clientId = null;
        else clientId = Short(clientId);
        var key = (what, clientId, address, Short(cause));
        DateTimeOffset now = time.GetUtcNow();
        lock (_lock)
        {
            if (_groups.TryGetValue(key, out RefusalView? group))
            {
                _groups[key] = group with { About = about, ReasonCode = (int)reason, Count = group.Count + 1, LastAt = now };
                return;
            }

            if (_groups.Count == MostGroups) _groups.Remove(_groups.MinBy(one => one.Value.LastAt).Key);
            _groups.Add(key, new RefusalView(what, clientId, address, about, key.Item4, (int)reason, 1, now, now));
        }
    }

    private static string TextOf(ReadOnlySpan<byte> text) => Short(Encoding.UTF8.GetString(text));

    private static string Short(string text) => text.Length <= MostCharacters ? text : text[..MostCharacters] + "...";

    private static string HostOf(string endPoint)
    {
        int colon = endPoint.LastIndexOf(':');
        return colon > 0 && !endPoint.StartsWith("unix:", StringComparison.Ordinal) ? endPoint[..colon].Trim('[', ']') : endPoint;
    }
}
