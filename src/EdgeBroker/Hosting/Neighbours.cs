using EdgeBroker.Bridge;
using EdgeBroker.Bridge.Hosting;
using EdgeBroker.Bridge.Probing;
using EdgeBroker.Client;
using EdgeBroker.Configuration;
using EdgeBroker.Http.Api;
using EdgeBroker.Webhooks;

namespace EdgeBroker.Hosting;

/// <summary>Bridges and webhooks as the API shows them.</summary>
/// <param name="bridges">The bridges.</param>
/// <param name="webhooks">The webhooks.</param>
/// <param name="source">The configuration.</param>
/// <param name="time">The wall clock.</param>
internal sealed class Neighbours(BridgePart bridges, WebhookPart webhooks, ConfigurationSource source, TimeProvider time) : INeighbours
{
    /// <inheritdoc/>
    public IReadOnlyList<BridgeAnswer> Bridges => [.. bridges.Statuses.Select(Show)];

    /// <inheritdoc/>
    public IReadOnlyList<WebhookAnswer> Webhooks => [.. webhooks.States().Select(Show)];

    /// <inheritdoc/>
    public async Task<bool> TellBridgeAsync(string name, BridgeWish wish)
    {
        if (wish == BridgeWish.Reconnect && !await bridges.OrderAsync(name, BridgeOrder.Stop).ConfigureAwait(false)) return false;
        return await bridges.OrderAsync(name, wish switch
        {
            BridgeWish.Pause => BridgeOrder.Stop,
            BridgeWish.Drain => BridgeOrder.Drain,
            BridgeWish.Purge => BridgeOrder.Purge,
            _ => BridgeOrder.Start,
        }).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<BridgeTrialAnswer?> TryBridgeAsync(string name, CancellationToken cancel)
    {
        if (OptionsOf(name) is not { } options) return null;
        IReadOnlyList<ProbeStep> steps = await new BridgeProbe(options).RunAsync(cancel).ConfigureAwait(false);
        return new BridgeTrialAnswer(steps.All(step => step.IsGood), [.. steps.Select(step => new BridgeTrialStep(step.Step, step.IsGood, step.Text))]);
    }

    /// <inheritdoc/>
    public bool TestWebhook(string name, string actor) => webhooks.SendTest(name, actor);

    private BridgeOptions? OptionsOf(string name) => source.Current.Bridges.FirstOrDefault(one => one.Name == name);

    private BridgeAnswer Show(BridgeStatus status)
    {
        bool isAway = status.Phase is BridgePhase.Waiting or BridgePhase.Connecting;
        return new BridgeAnswer(
            status.Name, StateOf(status), status.Server, status.BacklogMessages, status.BacklogBytes, status.Sent, status.Acknowledged, status.Received,
            status.Dropped, status.Refused, status.Loops, status.Connections)
        {
            OldestSeconds = status.BacklogMessages == 0 ? null : status.OldestSeconds,
            AcknowledgedAt = status.LastAcknowledgedSeconds is { } seconds ? time.GetUtcNow() - TimeSpan.FromSeconds(seconds) : null,
            SinceAt = status.SinceAt,
            NextTryAt = status.NextTryAt,
            RoundTripMs = status.RoundTripMs,
            Cause = isAway ? status.LastFault?.Text : null,
            CauseAt = isAway ? status.LastFault?.At : null,
            Lanes = [.. status.Lanes.Select(lane => new BridgeLaneAnswer(
                lane.Name, lane.BacklogMessages, lane.BacklogBytes, lane.BacklogMessages == 0 ? null : lane.OldestSeconds))],
            Routes = OptionsOf(status.Name) is not { } options ? [] : [.. options.Routes.Select(route => new BridgeRouteAnswer(
                route.Direction.ToString().ToLowerInvariant(), route.Local, route.Remote, (int)route.MaximumQoS, route.Lane.Length == 0 ? null : route.Lane))],
        };
    }

    private static string StateOf(BridgeStatus status) => status.Phase switch
    {
        BridgePhase.Stopped => "paused",
        BridgePhase.Idle => "idle",
        BridgePhase.Connected => "connected",
        BridgePhase.Waiting when status.LastFault?.Layer is FailureLayer.Permission => "refused",
        _ => "connecting",
    };

    private static WebhookAnswer Show(WebhookState state) => new(
        state.Name, state.Url, state.Circuit == CircuitState.HalfOpen ? "half-open" : state.Circuit.ToString().ToLowerInvariant(), state.Events,
        state.QueuedEvents, state.QueuedBytes, state.Sent, state.Failed,
        state.Dropped.ToDictionary(one => one.Key.ToString().ToLowerInvariant(), one => one.Value, StringComparer.Ordinal))
    {
        FailuresCount = state.FailuresInARow,
        LastFailure = state.LastFailure,
        LastFailureAt = state.LastFailureAt,
        FailingSinceAt = state.FailingSince,
        LastSuccessAt = state.LastSuccessAt,
        NextTryAt = state.NextTryAt,
        OldestAt = state.OldestAt,
    };
}
