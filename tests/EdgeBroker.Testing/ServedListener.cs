using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Testing;

/// <summary>Starts servers for tests that have one listener or a few.</summary>
public static class ServedListener
{
    /// <summary>Starts a server whose reactors do not wait for anybody, with one listener.</summary>
    public static void Serve(this IListenerFamily family, ListenerSettings settings)
    {
        IListener listener = family.OpenAsync(settings).GetAwaiter().GetResult();
        family.StartAsync().GetAwaiter().GetResult();
        listener.BeginAsync().GetAwaiter().GetResult();
    }
}
