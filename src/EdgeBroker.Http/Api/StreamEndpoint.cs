using System.Globalization;
using EdgeBroker.Core.Management;
using EdgeBroker.Http.Routing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Api;

/// <summary>The last event of a stream.</summary>
/// <param name="Cause">Why it ends.</param>
public sealed record StreamEnd(string Cause);

/// <summary>Events or lines of the log that a stream has not told, and does not tell any more.</summary>
/// <param name="Channel"><c>events</c> or <c>log</c>.</param>
/// <param name="SkippedCount">How many.</param>
public sealed record StreamSkipped(string Channel, long SkippedCount);

/// <summary>
/// What a console shows, once a second, as server-sent events: the overview, sessions, comings and goings, the log. One stream carries several channels, since
/// a browser has few connections to a host. A value that was not read in time is replaced by the next one.
/// </summary>
internal sealed class StreamEndpoint(
    HttpSite site, BrokerEndpoints whole, BrokerView view, HistoryRing history, IAdministration administration, TimeProvider time)
{
    private const int MostChannels = 16;
    private const int MostAtOnce = 100;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly string[] Levels = ["debug", "info", "warning", "error", "critical"];

    // Ids begin anew with each start of the broker, and what was read of the run before is no place in this one.
    private readonly string _run = Guid.NewGuid().ToString("N")[..8];

    public IEnumerable<HttpEndpoint> Make()
    {
        yield return new HttpEndpoint(HttpSurfaces.Api | HttpSurfaces.Console, "GET", "/api/v1/stream", EndpointAccess.Viewer, ServeAsync)
        {
            Summary = "Server-sent events once a second: overview, session, event, log, gap; bye at the end. Last-Event-ID goes on where a stream broke off",
            Query = [new("channels", "overview, events, log, log:LEVEL and session:CLIENT-ID, with commas between; a comma in an id is written %2C")],
            AnswersType = "text/event-stream",
            IsActivity = false,
        };
    }

    private async Task ServeAsync(Exchange exchange)
    {
        string[] channels = ChannelsOf(exchange);
        using OpenStream stream = site.Streams.Open(exchange.Caller, () => site.MayGoOn(exchange));
        var output = new EventStream(exchange, time);
        StreamPlace place = PlaceOf(exchange);
        await output.BeginAsync().ConfigureAwait(false);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(exchange.Gone, stream.Ended, site.Stopping);
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                if (!site.MayGoOn(exchange)) break;
                foreach (string channel in channels)
                {
                    await SendAsync(output, channel, place, ending.Token).ConfigureAwait(false);
                }

                await output.WriteCommentAsync().ConfigureAwait(false);
            }
            while (await timer.WaitForNextTickAsync(ending.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!exchange.Gone.IsCancellationRequested)
        {
            // Told below.
        }

        string cause = site.Stopping.IsCancellationRequested ? "the broker is stopping" : "login ended";
        await output.WriteAsync("bye", new StreamEnd(cause), ApiJson.Default.StreamEnd).ConfigureAwait(false);
    }

    private static string[] ChannelsOf(Exchange exchange)
    {
        string text = exchange.Query("channels") ?? throw HttpProblem.Parameter("channels", null, "some of overview, events, log and session:CLIENT-ID");
        string[] channels = [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(one => one.Replace("%2C", ",",
            StringComparison.OrdinalIgnoreCase))];
        bool areKnown = channels.All(one => one is "overview" or "events" or "log" || one.StartsWith("session:", StringComparison.Ordinal)
            || (one.StartsWith("log:", StringComparison.Ordinal) && Levels.Contains(one[4..])));
        return areKnown && channels.Length is > 0 and <= MostChannels ? channels
            : throw HttpProblem.Parameter("channels", Exchange.Short(text),
                $"at most {MostChannels} of overview, events, log, log:LEVEL and session:CLIENT-ID");
    }

    /// <summary>Where it begins: behind what a stream before has told, or with what comes from here on. What is there already is asked for elsewhere.</summary>
    private StreamPlace PlaceOf(Exchange exchange)
    {
        string[] parts = exchange.Context.Request.Headers["Last-Event-ID"].ToString().Split('.');
        if (parts.Length == 3 && parts[0] == _run && TryReadId(parts[1], history.LastId, out long seen) && TryReadId(parts[2], LastLine, out long read))
        {
            return new StreamPlace { Event = seen, Line = read };
        }

        return new StreamPlace { Event = history.LastId, Line = LastLine };
    }

    private long LastLine => administration.LogLines is [var newest, ..] ? newest.Id : 0;

    private static bool TryReadId(string text, long last, out long id) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id) && id <= last;

    private string IdOf(StreamPlace place) => string.Create(CultureInfo.InvariantCulture, $"{_run}.{place.Event}.{place.Line}");

    private async ValueTask SendAsync(EventStream output, string channel, StreamPlace place, CancellationToken ending)
    {
        if (channel == "overview")
        {
            try
            {
                OverviewAnswer overview = await whole.RecentOverviewAsync(ending).ConfigureAwait(false);
                await output.WriteAsync("overview", overview, ApiJson.Default.OverviewAnswer).ConfigureAwait(false);
            }
            catch (HttpProblem problem) when (problem.Kind == ProblemKind.Busy)
            {
                // Others ask for long lists: there is another second.
            }
        }
        else if (channel == "events")
        {
            await SendEventsAsync(output, place).ConfigureAwait(false);
        }
        else if (channel.StartsWith("session:", StringComparison.Ordinal))
        {
            await SendSessionAsync(output, channel["session:".Length..]).ConfigureAwait(false);
        }
        else
        {
            await SendLogAsync(output, channel, place).ConfigureAwait(false);
        }
    }

    private async ValueTask SendEventsAsync(EventStream output, StreamPlace place)
    {
        IReadOnlyList<HistoryEvent> events = history.After(place.Event, MostAtOnce);
        if (events.Count == 0) return;
        long skipped = events[^1].Id - place.Event - events.Count;
        if (skipped > 0) await output.WriteAsync("gap", new StreamSkipped("events", skipped), ApiJson.Default.StreamSkipped).ConfigureAwait(false);
        foreach (HistoryEvent one in events)
        {
            place.Event = one.Id;
            await output.WriteAsync("event", one, ApiJson.Default.HistoryEvent, IdOf(place)).ConfigureAwait(false);
        }
    }

    private async ValueTask SendSessionAsync(EventStream output, string clientId)
    {
        if (view.Session(clientId) is not { } detail) return;
        await output.WriteAsync("session", new SessionAnswer(detail) { History = history.Of(clientId) }, ApiJson.Default.SessionAnswer).ConfigureAwait(false);
    }

    private async ValueTask SendLogAsync(EventStream output, string channel, StreamPlace place)
    {
        int least = channel.Length > 4 ? Array.IndexOf(Levels, channel[4..]) : 0;
        LogLine[] lines = [.. administration.LogLines.TakeWhile(one => one.Id > place.Line).Take(MostAtOnce).Reverse()];
        if (lines.Length == 0) return;
        long skipped = lines[^1].Id - place.Line - lines.Length;
        if (skipped > 0) await output.WriteAsync("gap", new StreamSkipped("log", skipped), ApiJson.Default.StreamSkipped).ConfigureAwait(false);
        foreach (LogLine one in lines)
        {
            place.Line = one.Id;
            if (Array.IndexOf(Levels, one.Level) < least) continue;
            await output.WriteAsync("log", one, ApiJson.Default.LogLine, IdOf(place)).ConfigureAwait(false);
        }
    }

    /// <summary>Up to where a stream has told events and the log.</summary>
    private sealed class StreamPlace
    {
        public long Event { get; set; }

        public long Line { get; set; }
    }
}
