using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Http.Access;
using EdgeBroker.Http.Routing;

namespace EdgeBroker.Http.Publishing;

/// <summary>
/// The clients in whose name HTTP requests publish: one for a user at a listener, for anonymous ones of an address, so that rates count over requests. The one
/// unused for longest makes room.
/// </summary>
internal sealed class HttpClients(Broker broker)
{
    private const int Most = 1_024;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Listener, string Name, bool IsToken), Entry> _clients = [];
    private long _uses;
    private long _names;

    /// <summary>The client of whoever asks, with the rights it has now.</summary>
    public LocalClient Of(Exchange exchange)
    {
        Caller caller = exchange.Caller;
        ClientNetwork network = NetworkOf(exchange);
        string name = caller.Proof == CallerProof.Nothing ? network.ToString() : caller.Name;
        // A token may be called as a user is, and has other rights.
        (string Listener, string Name, bool IsToken) key = (exchange.Listener.Address, name, caller.Proof == CallerProof.Token);
        lock (_lock)
        {
            _uses++;
            if (_clients.TryGetValue(key, out Entry? known))
            {
                known.UsedAt = _uses;
                // Rights are made anew for each request; what was used of rates stays.
                known.Client.ActAs(caller.Identity);
                return known.Client;
            }

            if (_clients.Count >= Most)
            {
                KeyValuePair<(string Listener, string Name, bool IsToken), Entry> oldest = _clients.MinBy(one => one.Value.UsedAt);
                _clients.Remove(oldest.Key);
                oldest.Value.Client.Dispose();
            }

            LocalClient client = Open(caller, new LocalClientOptions
            {
                Identity = caller.Identity,
                Network = network,
                WaitsForStore = false,
                ObeysRates = true,
            });
            _clients[key] = new Entry(client) { UsedAt = _uses };
            return client;
        }
    }

    /// <summary>Opens a client that reads for whoever asks.</summary>
    public LocalClient OpenReader(Exchange exchange, LocalClientOptions options) =>
        Open(exchange.Caller, options with { Identity = exchange.Caller.Identity, Network = NetworkOf(exchange) });

    private static ClientNetwork NetworkOf(Exchange exchange) => ClientNetwork.Of(exchange.Context.Connection.RemoteIpAddress);

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
