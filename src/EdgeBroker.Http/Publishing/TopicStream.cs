using System.Text;
using System.Text.Unicode;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Security;
using EdgeBroker.Http.Routing;
using EdgeBroker.Protocol;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Publishing;

/// <summary>A message in a stream.</summary>
/// <param name="Topic">Its topic.</param>
/// <param name="Qos">Its QoS.</param>
/// <param name="Retain">Whether it is a retained value.</param>
public sealed record StreamMessage(string Topic, int Qos, bool Retain)
{
    /// <summary>The payload, where it is text.</summary>
    public string? Payload { get; init; }

    /// <summary>The payload, where it is not.</summary>
    public string? PayloadBase64 { get; init; }

    /// <summary>The content type.</summary>
    public string? ContentType { get; init; }

    /// <summary>User properties, as pairs.</summary>
    public IReadOnlyList<IReadOnlyList<string>>? UserProperties { get; init; }
}

/// <summary>Messages that are missing in a stream.</summary>
/// <param name="SkippedCount">How many.</param>
public sealed record StreamGap(long SkippedCount);

/// <summary>
/// The live messages of a filter as server-sent events: a bounded queue, and a gap told where it was too short. Ends at a reload when its reader may not read
/// them any more.
/// </summary>
internal sealed class TopicStream(HttpSite site, HttpClients clients, TimeProvider time)
{
    private const int MostQueued = 256;

    private static readonly TimeSpan AliveInterval = TimeSpan.FromSeconds(15);

    public IEnumerable<HttpEndpoint> Make()
    {
        yield return new HttpEndpoint(HttpSurfaces.Publish, "GET", "/topics/{*filter}/events", EndpointAccess.Rules, ServeAsync)
        {
            Summary = "Live messages of a topic filter as server-sent events: message, gap, bye",
            Query =
            [
                new("retained", "begin with the retained values", "boolean"), new("rate", "messages a second at most; what is beyond is a gap", "integer"),
                new("qos", "0 to 2 (0)", "integer"),
            ],
            AnswersType = "text/event-stream",
            IsActivity = false,
        };
    }

    /// <summary>Makes what is streamed of a message.</summary>
    public static StreamMessage Of(in LocalDelivery delivery)
    {
        Message message = delivery.Message;
        bool isText = Utf8.IsValid(message.Payload);
        var shown = new StreamMessage(Encoding.UTF8.GetString(message.Topic), (int)delivery.QoS, delivery.Retain)
        {
            Payload = isText ? Encoding.UTF8.GetString(message.Payload) : null,
            PayloadBase64 = isText ? null : Convert.ToBase64String(message.Payload),
        };
        if (!PropertyBlock.TryRead(message.Properties, out PropertyBlock properties) || properties.IsEmpty) return shown;
        List<IReadOnlyList<string>>? pairs = null;
        string? contentType = null;
        foreach (Property property in properties)
        {
            if (property.Id == PropertyId.ContentType) contentType = Encoding.UTF8.GetString(property.Value);
            if (property.Id != PropertyId.UserProperty) continue;
            (pairs ??= []).Add([Encoding.UTF8.GetString(property.Name), Encoding.UTF8.GetString(property.Value)]);
        }

        return shown with { ContentType = contentType, UserProperties = pairs };
    }

    private async Task ServeAsync(Exchange exchange)
    {
        string filter = exchange.Argument("filter");
        if (!TopicText.IsFilter(filter)) throw new HttpProblem(ProblemKind.InvalidFilter, "the path is no topic filter");
        int rate = (int)exchange.QueryNumber("rate", 0, 0, 10_000);
        var qos = (QoS)exchange.QueryNumber("qos", 0, 0, 2);
        RetainHandling handling = exchange.QueryFlag("retained") ? RetainHandling.SendOnSubscribe : RetainHandling.DoNotSend;
        byte[] topics = Encoding.UTF8.GetBytes(filter);
        if (TopicFilter.TrySplitShared(topics, out _, out ReadOnlySpan<byte> shared)) topics = shared.ToArray();
        using OpenStream stream = site.Streams.Open(exchange.Caller, () =>
        {
            AuthenticationResult now = site.Authentication.Review(exchange.Caller, exchange.Listener.Address);
            return now.Reason == ReasonCode.Success && now.Permissions.MaySubscribe(topics);
        }, isOfTopics: true);
        using LocalClient client = clients.OpenReader(exchange, new LocalClientOptions { MaxQueuedMessages = MostQueued });
        ReasonCode reason = client.Subscribe(filter, new SubscriptionOptions(qos, noLocal: false, retainAsPublished: false, handling));
        if (reason.IsError())
        {
            string cause = $"{exchange.Caller.Name} may not read it: {exchange.Caller.Identity.Permissions.JudgeSubscribe(topics).Cause}";
            throw PublishEndpoints.ProblemOf(reason, reason == ReasonCode.NotAuthorized ? cause : null);
        }

        var output = new EventStream(exchange, time);
        await output.BeginAsync().ConfigureAwait(false);
        await SendAsync(output, client, stream, rate, exchange.Gone).ConfigureAwait(false);
    }

    private async Task SendAsync(EventStream output, LocalClient client, OpenStream stream, int rate, CancellationToken gone)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(gone, stream.Ended, site.Stopping);
        long skipped = 0, dropped = 0, second = time.GetTimestamp();
        int sent = 0;
        while (!ending.IsCancellationRequested)
        {
            while (client.TryRead(out LocalDelivery delivery))
            {
                if (time.GetElapsedTime(second) >= TimeSpan.FromSeconds(1)) (second, sent) = (time.GetTimestamp(), 0);
                if (rate > 0 && sent >= rate)
                {
                    skipped++;
                    continue;
                }

                sent++;
                skipped += client.Dropped - dropped;
                dropped = client.Dropped;
                if (skipped > 0) await output.WriteAsync("gap", new StreamGap(skipped), HttpJson.Default.StreamGap).ConfigureAwait(false);
                skipped = 0;
                await output.WriteAsync("message", Of(delivery), HttpJson.Default.StreamMessage).ConfigureAwait(false);
            }

            if (!await WaitAsync(client, ending.Token).ConfigureAwait(false)) await output.WriteCommentAsync().ConfigureAwait(false);
        }

        if (!gone.IsCancellationRequested)
        {
            await output.WriteAsync("bye", new StreamBye(stream.Ended.IsCancellationRequested ? "not permitted any more" : "the broker is stopping"),
                HttpJson.Default.StreamBye).ConfigureAwait(false);
        }
    }

    /// <summary>Waits for a message; false when none came for a while.</summary>
    private async Task<bool> WaitAsync(LocalClient client, CancellationToken ending)
    {
        using var late = new CancellationTokenSource(AliveInterval, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ending);
        try
        {
            return await client.WaitToReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return ending.IsCancellationRequested;
        }
    }
}

/// <summary>The last event of a stream.</summary>
/// <param name="Cause">Why it ends.</param>
public sealed record StreamBye(string Cause);
