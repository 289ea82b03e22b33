using System.Globalization;
using EdgeBroker.Client;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Probing;

/// <summary>How far a trial came.</summary>
/// <param name="Step">
/// What was tried: <c>clock</c>, <c>name</c>, <c>network</c>, <c>proxy</c>, <c>tls</c>, <c>login</c>, <c>subscribe</c> or <c>message</c>.
/// </param>
/// <param name="IsGood">Whether it went well.</param>
/// <param name="Text">What was found, or what is wrong and what to do.</param>
public sealed record ProbeStep(string Step, bool IsGood, string Text);

/// <summary>Tries a bridge from the bottom up, as far as it goes: finds the layer that fails, and names the cure.</summary>
/// <param name="options">The bridge.</param>
public sealed class BridgeProbe(BridgeOptions options)
{
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(10);

    // Before this program was made it cannot be.
    private static readonly DateTimeOffset Earliest = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>
    /// Tries it. Another client id than the bridge's own is used where the other side allows that: the bridge that runs keeps its connection.
    /// </summary>
    /// <param name="cancellationToken">Ends the trial.</param>
    public async Task<IReadOnlyList<ProbeStep>> RunAsync(CancellationToken cancellationToken = default)
    {
        var steps = new List<ProbeStep>();
        AddClock(steps);
        MqttClientOptions connection = options.Connection with
        {
            ClientId = options.HasBoundClientId ? options.Connection.ClientId : options.Connection.ClientId + "-test",
            CleanStart = !options.HasBoundClientId,
            SessionExpirySeconds = options.HasBoundClientId ? options.Connection.SessionExpirySeconds : 0,
            Will = null,
            IsBridge = false,
            OtherServers = [],
            Reconnect = null,
            // The session may be the bridge's own: what waits for it there must not be taken from it.
            AcknowledgeManually = true,
        };
        foreach (IClientTransport server in (IClientTransport[])[options.Connection.Transport, .. options.Connection.OtherServers])
        {
            await TryAsync(connection with { Transport = server }, steps, cancellationToken).ConfigureAwait(false);
        }

        return steps;
    }

    /// <summary>Certificates and tokens are good for a time: a machine that has lost it is refused, whatever else is right.</summary>
    private void AddClock(List<ProbeStep> steps)
    {
        DateTimeOffset now = options.Connection.TimeProvider.GetUtcNow();
        string text = now.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC";
        if (now >= Earliest) return;
        steps.Add(new ProbeStep("clock", false, $"this machine's clock says {text}; set it, or have it set by NTP: certificates and tokens depend on it"));
    }

    private async Task TryAsync(MqttClientOptions connection, List<ProbeStep> steps, CancellationToken cancellationToken)
    {
        var client = new MqttClient(connection);
        await using (client.ConfigureAwait(false))
        {
            try
            {
                ConnectResult granted = await client.ConnectAsync(cancellationToken).ConfigureAwait(false);
                AddPassed(connection.Transport, FailureLayer.Permission, steps);
                steps.Add(new ProbeStep(
                    "login", true, $"accepted as {granted.ClientId}; QoS {(int)granted.MaximumQoS}, {granted.ReceiveMaximum} in flight, keep-alive "
                    + $"{granted.KeepAlive.TotalSeconds:0} s{(granted.SessionPresent ? ", with a session" : "")}"));
            }
            catch (MqttException exception)
            {
                AddPassed(connection.Transport, exception.Layer, steps);
                steps.Add(new ProbeStep(StepOf(exception.Layer), false, exception.Message));
                return;
            }

            await ExchangeAsync(client, steps, cancellationToken).ConfigureAwait(false);
            await client.DisconnectAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ExchangeAsync(MqttClient client, List<ProbeStep> steps, CancellationToken cancellationToken)
    {
        if (options.ProbeTopic is not { } topic)
        {
            steps.Add(new ProbeStep("message", true, "not tried: the other side takes messages of its own kinds only"));
            return;
        }

        string step = "subscribe";
        string payload = Guid.NewGuid().ToString("N");
        try
        {
            if (options.ProbeComesBack)
            {
                ReasonCode[] reasons = await client.SubscribeAsync(topic, QoS.AtLeastOnce, cancellationToken)
                    .WaitAsync(AnswerTime, cancellationToken).ConfigureAwait(false);
                steps.Add(reasons[0].IsError()
                    ? new ProbeStep(step, false, $"{topic} is refused ({reasons[0]}). {ReasonAdvice.For(reasons[0])}")
                    : new ProbeStep(step, true, topic));
                if (reasons[0].IsError()) return;
            }

            step = "message";
            var message = new PublishMessage(topic, System.Text.Encoding.ASCII.GetBytes(payload)) { QoS = QoS.AtLeastOnce };
            await client.PublishAsync(message, cancellationToken).WaitAsync(AnswerTime, cancellationToken).ConfigureAwait(false);
            if (options.ProbeComesBack)
            {
                await AwaitAsync(client, payload, cancellationToken).WaitAsync(AnswerTime, cancellationToken).ConfigureAwait(false);
                // The subscription would outlive the trial.
                if (options.HasBoundClientId) await client.UnsubscribeAsync([topic], null, cancellationToken).ConfigureAwait(false);
            }

            steps.Add(new ProbeStep(step, true, options.ProbeComesBack ? $"there and back by {topic}" : $"acknowledged at {topic}"));
        }
        catch (MqttException exception)
        {
            steps.Add(new ProbeStep(step, false, exception.Message));
        }
        catch (TimeoutException)
        {
            steps.Add(new ProbeStep(
                step, false, $"Nothing came for {AnswerTime.TotalSeconds:0} s; the other side may not allow {topic}, or be overloaded."));
        }
    }

    private static async Task AwaitAsync(MqttClient client, string payload, CancellationToken cancellationToken)
    {
        await foreach (ReceivedMessage message in client.ReceiveAllAsync(cancellationToken).ConfigureAwait(false))
        {
            if (System.Text.Encoding.ASCII.GetString(message.Payload.Span) != payload) continue;
            message.Acknowledge();
            return;
        }
    }

    /// <summary>The layers below the one that failed are good.</summary>
    private static void AddPassed(IClientTransport server, FailureLayer failed, List<ProbeStep> steps)
    {
        if (failed == FailureLayer.Name) return;
        steps.Add(new ProbeStep("name", true, server.Description));
        if (failed is FailureLayer.Network or FailureLayer.Proxy) return;
        steps.Add(new ProbeStep("network", true, "reached"));
        bool isSecure = server.Description.StartsWith("tls", StringComparison.Ordinal) || server.Description.StartsWith("wss", StringComparison.Ordinal);
        if (isSecure && failed != FailureLayer.Tls) steps.Add(new ProbeStep("tls", true, "the server's certificate is good"));
    }

    private static string StepOf(FailureLayer layer) => layer switch
    {
        FailureLayer.Mqtt or FailureLayer.Authentication or FailureLayer.Permission => "login",
        _ => layer.ToString().ToLowerInvariant(),
    };
}
