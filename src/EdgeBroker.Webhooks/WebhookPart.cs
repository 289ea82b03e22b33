using System.Collections.Concurrent;
using System.Globalization;
using EdgeBroker.Core;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Webhooks.Delivery;
using EdgeBroker.Webhooks.Events;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Webhooks;

/// <summary>Tells HTTP receivers what happens in the broker. Where none is configured nothing is asked for, and there is no task.</summary>
public sealed class WebhookPart : IBrokerPart<IReadOnlyList<WebhookOptions>>
{
    /// <summary>Webhooks of one broker, at most.</summary>
    public const int Most = 16;

    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(3);

    private readonly Broker _broker;
    private readonly TimeProvider _time;
    private readonly WebhookEnvironment _environment;
    private readonly ConcurrentDictionary<string, WebhookEndpoint> _byName = new(StringComparer.Ordinal);
    private readonly HashSet<string> _measured = [];
    private readonly IReadOnlyList<WebhookOptions> _first;
    private volatile WebhookEndpoint[] _endpoints = [];
    private WebhookSink? _sink;
    private IDisposable? _registration;

    /// <param name="options">The webhooks.</param>
    /// <param name="broker">The broker.</param>
    /// <param name="node">Its name.</param>
    /// <param name="version">Its version.</param>
    /// <param name="log">The log.</param>
    /// <param name="time">The clock.</param>
    public WebhookPart(IReadOnlyList<WebhookOptions> options, Broker broker, string node, string version, ILogger log, TimeProvider time)
    {
        _first = options;
        _broker = broker;
        _time = time;
        MemoryLedger ledger = broker.Limits.Ledger;
        var ids = new EventIds();
        _environment = new WebhookEnvironment(
            new WebhookSource(node, version, ids, ids.Of(time.GetUtcNow(), ids.Next())),
            bytes =>
            {
                if (bytes > 0) ledger.Account(MemoryKind.Webhooks, bytes);
                else ledger.Release(MemoryKind.Webhooks, -bytes);
            },
            () => broker.Limits.Memory.Stage >= MemoryStage.Pausing,
            new WebhookLog(log, time),
            broker.ReportFault,
            time);
    }

    /// <inheritdoc/>
    public string Name => "webhooks";

    /// <summary>How each is doing, in the order of the configuration.</summary>
    public IReadOnlyList<WebhookState> States() => [.. _endpoints.Select(endpoint => endpoint.State())];

    /// <summary>Sends an event <c>webhook.test</c> to one of them; false: there is none of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="actor">Who asks for it.</param>
    public bool SendTest(string name, string actor)
    {
        if (!_byName.TryGetValue(name, out WebhookEndpoint? endpoint)) return false;
        endpoint.Offer(WebhookSink.Test(actor, _environment.Source.Ids, _time));
        return true;
    }

    /// <inheritdoc/>
    public ValueTask StartAsync(CancellationToken cancel)
    {
        Serve([.. _first.Select(Make)]);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Findings()
    {
        foreach (WebhookEndpoint endpoint in _endpoints)
        {
            WebhookState state = endpoint.State();
            if (state.FailingSince is not { } since) continue;
            string waiting = state.Circuit == CircuitState.Off
                ? "it gets no events until the configuration is read again"
                : string.Create(CultureInfo.InvariantCulture, $"{state.QueuedEvents} event(s) wait");
            string detail = string.Create(
                CultureInfo.InvariantCulture, $"{state.Name} has failed since {since:yyyy-MM-dd HH:mm:ss} UTC: {state.LastFailure}; {waiting}");
            yield return new HealthFinding(Name, HealthState.Warning, detail);
        }
    }

    /// <inheritdoc/>
    public ValueTask<IPreparedChange> PrepareAsync(IReadOnlyList<WebhookOptions> next) => ValueTask.FromResult<IPreparedChange>(new Change(this, next));

    /// <inheritdoc/>
    public async ValueTask StopAsync(StopPhase phase, TimeSpan limit)
    {
        if (phase != StopPhase.Finish) return;
        // Whoever was connected until now has been told of, too.
        Listen([]);
        TimeSpan time = limit < DrainTime ? limit : DrainTime;
        await Task.WhenAll(_endpoints.Select(endpoint => endpoint.StopAsync(time))).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Listen([]);
        foreach (WebhookEndpoint endpoint in _endpoints) await endpoint.DisposeAsync().ConfigureAwait(false);
        _endpoints = [];
        _byName.Clear();
    }

    private WebhookEndpoint Make(WebhookOptions options)
    {
        var endpoint = new WebhookEndpoint(options, _environment);
        endpoint.Start();
        return endpoint;
    }

    private void Serve(WebhookEndpoint[] endpoints)
    {
        _endpoints = endpoints;
        _byName.Clear();
        foreach (WebhookEndpoint endpoint in endpoints)
        {
            string name = endpoint.Options.Name;
            _byName[name] = endpoint;
            if (_measured.Add(name)) RegisterMeters(name);
        }

        Listen(endpoints);
    }

    private void Listen(WebhookEndpoint[] endpoints)
    {
        // Between the two nothing is told: better than twice.
        _sink?.Close();
        _registration?.Dispose();
        _sink = null;
        _registration = null;
        if (endpoints.Length == 0) return;
        _sink = new WebhookSink(endpoints, _environment.Source.Node, _environment.Source.Ids, _time);
        _registration = _broker.Events.Add(_sink);
    }

    private void RegisterMeters(string name)
    {
        MeterRegistry meters = _broker.Meters;
        var tag = new MeterTag("webhook", name);
        meters.Counter("edgebroker.webhook.sent", "{event}", "events that receivers have taken", () => Find()?.Sent, tags: tag);
        meters.Counter("edgebroker.webhook.failed", "{request}", "requests that failed or were refused", () => Find()?.Failed, tags: tag);
        meters.Gauge("edgebroker.webhook.queue", "{event}", "events that wait to be sent", () => Find()?.Queued, tags: tag);
        foreach (WebhookDropCause cause in Enum.GetValues<WebhookDropCause>())
        {
            string word = cause.ToString().ToLowerInvariant();
            meters.Counter(
                "edgebroker.webhook.dropped", "{event}", "events that were not sent", () => Find()?.Dropped(cause), tags: [tag, new MeterTag("cause", word)]);
        }

        WebhookEndpoint? Find() => _byName.GetValueOrDefault(name);
    }

    /// <summary>Other webhooks: one that keeps its name keeps its queue and counters.</summary>
    private sealed class Change(WebhookPart part, IReadOnlyList<WebhookOptions> next) : IPreparedChange
    {
        public async ValueTask ApplyAsync(ChangeNotes notes)
        {
            var kept = new List<WebhookEndpoint>();
            foreach (WebhookOptions options in next)
            {
                if (!part._byName.TryGetValue(options.Name, out WebhookEndpoint? endpoint)) notes.Add($"webhook {options.Name}: added");
                else if (endpoint.Replace(options)) notes.Add($"webhook {options.Name}: changed");
                kept.Add(endpoint ?? part.Make(options));
            }

            WebhookEndpoint[] removed = [.. part._endpoints.Except(kept)];
            part.Serve([.. kept]);
            foreach (WebhookEndpoint endpoint in removed)
            {
                await endpoint.DisposeAsync().ConfigureAwait(false);
                notes.Add($"webhook {endpoint.Options.Name}: removed");
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
