using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Hosting.Listeners;

/// <summary>
/// Which listeners stay, come and go. A listener is known by protocol and address as written; what else differs is applied to it. The same twice (port 0) is
/// matched in order.
/// </summary>
internal sealed class ListenerPlan
{
    private ListenerPlan(List<IListener> running) => Removed = running;

    public List<(IListener Listener, ListenerSettings Settings)> Kept { get; } = [];

    public List<ListenerSettings> Added { get; } = [];

    public List<IListener> Removed { get; }

    public static ListenerPlan Of(IEnumerable<IListener> running, IEnumerable<ListenerSettings> next)
    {
        var plan = new ListenerPlan([.. running]);
        foreach (ListenerSettings settings in next)
        {
            int index = plan.Removed.FindIndex(listener => listener.Settings.IsSameListener(settings));
            if (index < 0)
            {
                plan.Added.Add(settings);
                continue;
            }

            plan.Kept.Add((plan.Removed[index], settings));
            plan.Removed.RemoveAt(index);
        }

        return plan;
    }
}
