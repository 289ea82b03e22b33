using EdgeBroker.Http;
using EdgeBroker.Mqtt;

namespace EdgeBroker.Hosting.Listeners;

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

    public static ListenerPlan Of(ListenerPart running, ListenerSet next)
    {
        var plan = new ListenerPlan();
        var plains = new List<MqttListener>(running.Plain.Listeners);
        foreach (ListenerOptions options in next.Plain)
        {
            MqttListener? listener = Take(plains, one => one.Options.Address == options.Address && one.Options.SocketFile == options.SocketFile);
            if (listener is not null) plan.Plains.Add((listener, options));
            else plan.AddedPlains.Add(options);
        }

        var webs = new List<WebListener>(running.Web?.Listeners ?? []);
        foreach (WebListenerOptions options in next.Web)
        {
            WebListener? listener = Take(webs, one =>
                one.Options.Protocol == options.Protocol && one.Options.Address == options.Address && one.Options.SocketFile == options.SocketFile);
            if (listener is not null) plan.Webs.Add((listener, options));
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
