using EdgeBroker.Core;
using EdgeBroker.Core.Management;
using EdgeBroker.Http.Health;
using EdgeBroker.Http.Routing;

namespace EdgeBroker.Http.Api;

/// <summary>The administration API, version 1.</summary>
public static class ApiEndpoints
{
    /// <summary>Adds all of it to what HTTP listeners serve.</summary>
    /// <param name="site">What they serve.</param>
    /// <param name="broker">The broker.</param>
    /// <param name="view">What is to be seen of it.</param>
    /// <param name="history">Comings and goings of clients, which it tells its events to.</param>
    /// <param name="health">How its parts are.</param>
    /// <param name="administration">Its configuration.</param>
    /// <param name="neighbours">Those it talks to.</param>
    /// <param name="time">The clock.</param>
    public static void AddTo(
        HttpSite site, Broker broker, BrokerView view, HistoryRing history, IHealth health, IAdministration administration, INeighbours neighbours,
        TimeProvider time)
    {
        var scans = new ApiScans(time);
        var course = new MetricHistory(broker.Meters, time);
        Action? before = site.Beginning;
        site.Beginning = () =>
        {
            before?.Invoke();
            course.Begin();
        };
        site.Stopping.Register(course.Dispose);
        site.Add(() => Make(site, broker, view, history, health, administration, neighbours, scans, course, time));
    }

    private static IEnumerable<HttpEndpoint> Make(
        HttpSite site, Broker broker, BrokerView view, HistoryRing history, IHealth health, IAdministration administration, INeighbours neighbours,
        ApiScans scans, MetricHistory course, TimeProvider time)
    {
        var whole = new BrokerEndpoints(broker, view, history, site, health, administration, neighbours, scans, course, time);
        return
        [
            .. LoginEndpoints.Make(site),
            .. whole.Make(),
            .. new StreamEndpoint(site, whole, view, history, administration, time).Make(),
            .. new SessionEndpoints(view, history, scans, time).Make(),
            .. new TopicEndpoints(view, new TopicRegister(broker.Events, broker.Limits.Ledger, time), scans, time).Make(),
            .. new SessionContentEndpoints(view, time).Make(),
            .. new RetainedEndpoints(view, site.Publishing, scans, time).Make(),
            .. new NeighbourEndpoints(site, neighbours, time).Make(),
            .. new WorkbenchEndpoint(site).Make(),
            .. new BackupEndpoints(administration, time).Make(),
            .. new LogEndpoints(administration, time).Make(),
            .. new AdminEndpoints(site, administration, time).Make(),
        ];
    }
}
