using EdgeBroker.Configuration;
using EdgeBroker.Http;
using EdgeBroker.Mqtt;

namespace EdgeBroker.Reloading;

/// <summary>
/// Which listeners stay, come and go. A listener is known by protocol and address as written; what else differs is applied to it. The same twice (port 0) is
/// matched in order. A socket file has its owner and mode from the start, so one with others is another listener.
/// </summary>
internal sealed class ListenerPlan
{
    private ListenerPlan()
    {
    }

    public List<(MqttListener Listener, ListenerOptions Options)> Plains { get; } = [];

    public List<(WebListener Listener, WebListenerOptions Options)> Webs { get; } = [];

    public List<ListenerOptions> AddedPlains { get; } = [];

    public List<WebListenerOptions> AddedWebs { get; } = [];

    public List<IServedListener> Removed { get; } = [];

    public static ListenerPlan Of(RunningBroker running, BrokerConfiguration read)
    {
        var plan = new ListenerPlan();
        var plains = new List<MqttListener>(running.Plain.Listeners);
        foreach (ListenerOptions options in read.Listeners)
        {
            if (Take(plains, listener => listener.Options.Address == options.Address && listener.Options.SocketFile == options.SocketFile) is { } listener)
            {
                plan.Plains.Add((listener, options));
            }
            else
            {
                plan.AddedPlains.Add(options);
            }
        }

        var webs = new List<WebListener>(running.Web?.Listeners ?? []);
        foreach (WebListenerOptions options in read.WebListeners)
        {
            WebListener? same = Take(
                webs,
                listener => listener.Options.Protocol == options.Protocol && listener.Options.Address == options.Address
                    && listener.Options.SocketFile == options.SocketFile);
            if (same is not null) plan.Webs.Add((same, options));
            else plan.AddedWebs.Add(options);
        }

        plan.Removed.AddRange(plains);
        plan.Removed.AddRange(webs);
        return plan;
    }

    private static T? Take<T>(List<T> from, Predicate<T> fits)
        where T : class
    {
        int index = from.FindIndex(fits);
        if (index < 0) return null;
        T taken = from[index];
        from.RemoveAt(index);
        return taken;
    }
}
