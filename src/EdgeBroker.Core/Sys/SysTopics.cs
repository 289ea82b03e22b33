using System.Globalization;
using System.Text;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Core.Routing;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Sys;

/// <summary>
/// Publishes what is registered under <c>$SYS/broker/</c>, retained. A value that has not changed is not sent again. Of what grows it also tells how fast,
/// under <c>load</c>, as operating systems do.
/// </summary>
/// <param name="broker">Publishes it.</param>
/// <param name="meters">What is registered.</param>
/// <param name="interval">Time between two updates.</param>
/// <param name="storeState">Whether the store can take more; null: there is no store.</param>
internal sealed class SysTopics(Broker broker, MeterRegistry meters, TimeSpan interval, StateEntry? storeState)
{
    private const string Prefix = "$SYS/broker/";
    private static readonly string[] WindowNames = ["1min", "5min", "15min"];

    private readonly long _intervalMs = (long)interval.TotalMilliseconds;
    private readonly Dictionary<string, string> _last = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LoadAverage> _loads = new(StringComparer.Ordinal);
    private long _lastRunMs;
    private long _nextRunMs;

    /// <summary>Publishes when the interval has passed, and at the first call.</summary>
    public void RunDue(long nowMs, RoutingContext context)
    {
        if (nowMs < _nextRunMs) return;
        _nextRunMs = nowMs + _intervalMs;
        TimeSpan elapsed = TimeSpan.FromMilliseconds(nowMs - _lastRunMs);
        _lastRunMs = nowMs;
        foreach (StateEntry state in meters.States) Publish(state, context);
        var values = new Dictionary<string, long>(StringComparer.Ordinal);
        var totals = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (MeterEntry entry in meters.Entries)
        {
            if ((entry.SysTopics.Count == 0 && entry.LoadTopic is null) || entry.Read() is not { } value) continue;
            foreach (string topic in entry.SysTopics) values[topic] = values.GetValueOrDefault(topic) + value;
            if (entry.LoadTopic is { } load) totals[load] = totals.GetValueOrDefault(load) + value;
        }

        foreach ((string topic, long value) in values) Set(topic, value.ToString(CultureInfo.InvariantCulture), context);
        foreach ((string topic, long total) in totals) PublishLoad(topic, total, elapsed, context);
    }

    /// <summary>Says whether the store can take more, at once instead of with the next update.</summary>
    public void PublishStoreState(RoutingContext context)
    {
        if (storeState is not null) Publish(storeState, context);
    }

    private void Publish(StateEntry state, RoutingContext context)
    {
        if (state.Read() is { } text) Set(state.SysTopic, text, context);
    }

    private void PublishLoad(string topic, long total, TimeSpan elapsed, RoutingContext context)
    {
        if (!_loads.TryGetValue(topic, out LoadAverage? load)) _loads.Add(topic, load = new LoadAverage());
        load.Update(total, elapsed);
        for (int i = 0; i < WindowNames.Length; i++) Set($"load/{topic}/{WindowNames[i]}", load[i].ToString("F2", CultureInfo.InvariantCulture), context);
    }

    private void Set(string name, string value, RoutingContext context)
    {
        if (_last.TryGetValue(name, out string? last) && last == value) return;
        _last[name] = value;
        broker.Publish(
            new Publication { Topic = Encoding.UTF8.GetBytes(Prefix + name), Payload = Encoding.UTF8.GetBytes(value), QoS = QoS.AtMostOnce, Retain = true },
            context);
    }
}
