using EdgeBroker.Core;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Routing;

namespace EdgeBroker.Http.Publishing;

/// <summary>
/// The clients in whose name HTTP requests publish: one for a user at a listener, so that rates count over requests. The one unused for longest makes room.
/// </summary>
internal sealed class HttpClients(Broker broker)
{
    private const int Most = 1_024;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Listener, string Name), Entry> _clients = [];
    private long _uses;
    private long _names;

    /// <summary>The client of whoever asks, with the rights it has now.</summary>
    public LocalClient Of(Exchange exchange)
    {
        Caller caller = exchange.Caller;
        (string Listener, string Name) key = (exchange.Listener.Address, caller.Name);
        lock (_lock)
        {
            _uses++;
            if (_clients.TryGetValue(key, out Entry? known) && ReferenceEquals(known.Client.Options.Identity?.Permissions, caller.Identity.Permissions))
            {
                known.UsedAt = _uses;
                return known.Client;
            }

            known?.Client.Dispose();
            if (known is null && _clients.Count >= Most)
            {
                KeyValuePair<(string Listener, string Name), Entry> oldest = _clients.MinBy(one => one.Value.UsedAt);
                _clients.Remove(oldest.Key);
                oldest.Value.Client.Dispose();
            }

            LocalClient client = Open(caller, new LocalClientOptions { Identity = caller.Identity, WaitsForStore = false, ObeysRates = true });
            _clients[key] = new Entry(client) { UsedAt = _uses };
            return client;
        }
    }

    /// <summary>Opens a client that reads.</summary>
    public LocalClient OpenReader(Caller caller, LocalClientOptions options) => Open(caller, options);

    // A name is taken while another listener, or a stream, acts for the same user.
    private LocalClient Open(Caller caller, LocalClientOptions options)
    {
        try
        {
            return broker.OpenLocal(caller.ClientId, options);
        }
        catch (InvalidOperationException)
        {
            return broker.OpenLocal($"{caller.ClientId}/{Interlocked.Increment(ref _names)}", options);
        }
    }

    private sealed class Entry(LocalClient client)
    {
        public LocalClient Client => client;

        public long UsedAt { get; set; }
    }
}
