using EdgeBroker.Core.Management;
using EdgeBroker.Http.Routing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Api;

/// <summary>The last event of a stream.</summary>
/// <param name="Cause">Why it ends.</param>
public sealed record StreamEnd(string Cause);

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

    public IEnumerable<HttpEndpoint> Make()
    {
        yield return new HttpEndpoint(HttpSurfaces.Api | HttpSurfaces.Console, "GET", "/api/v1/stream", EndpointAccess.Viewer, ServeAsync)
        {
            Summary = "Server-sent events once a second: overview, session, event, log; bye at the end",
            Query = [new("channels", "overview, events, log, log:LEVEL and session:CLIENT-ID, with commas between; a comma in an id is written %2C")],
            AnswersType = "text/event-stream",
        };
    }

    private async Task ServeAsync(Exchange exchange)
    {
        string[] channels = ChannelsOf(exchange);
        using OpenStream stream = site.Streams.Open(exchange.Caller, () => site.MayGoOn(exchange));
        var output = new EventStream(exchange);
        // What is there already is asked for elsewhere: the stream tells what comes, but for what a stream before has shown.
        long lastEvent = history.ToList() is [var last, ..] ? last.Id : 0;
        long lastLine = administration.LogLines.Count > 0 ? administration.LogLines[0].Id : 0;
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
                    if (channel == "overview")
                    {
                        await output.WriteAsync(
                            "overview", await whole.OverviewAsync(ending.Token).ConfigureAwait(false), ApiJson.Default.OverviewAnswer).ConfigureAwait(false);
                    }
                    else if (channel == "events")
                    {
                        lastEvent = await SendEventsAsync(output, lastEvent).ConfigureAwait(false);
                    }
                    else if (channel.StartsWith("session:", StringComparison.Ordinal))
                    {
                        await SendSessionAsync(output, channel["session:".Length..]).ConfigureAwait(false);
                    }
                    else
                    {
                        lastLine = await SendLogAsync(output, channel, lastLine).ConfigureAwait(false);
                    }
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

    private async ValueTask<long> SendEventsAsync(EventStream output, long last)
    {
        HistoryEvent[] events = [.. history.ToList().TakeWhile(one => one.Id > last).Take(MostAtOnce).Reverse()];
        foreach (HistoryEvent one in events) await output.WriteAsync("event", one, ApiJson.Default.HistoryEvent, one.Id).ConfigureAwait(false);
        return events.Length == 0 ? last : events[^1].Id;
    }

    private async ValueTask SendSessionAsync(EventStream output, string clientId)
    {
        if (view.Session(clientId) is not { } detail) return;
        await output.WriteAsync("session", new SessionAnswer(detail) { History = history.Of(clientId) }, ApiJson.Default.SessionAnswer).ConfigureAwait(false);
    }

    private async ValueTask<long> SendLogAsync(EventStream output, string channel, long last)
    {
        int least = channel.Length > 4 ? Array.IndexOf(Levels, channel[4..]) : 0;
        LogLine[] lines = [.. administration.LogLines.TakeWhile(one => one.Id > last).Take(MostAtOnce).Reverse()];
        foreach (LogLine one in lines.Where(one => Array.IndexOf(Levels, one.Level) >= least))
        {
            await output.WriteAsync("log", one, ApiJson.Default.LogLine, one.Id).ConfigureAwait(false);
        }

        return lines.Length == 0 ? last : lines[^1].Id;
    }
}
