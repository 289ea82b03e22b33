using System.Collections.Concurrent;
using EdgeBroker.Core.Management;
using EdgeBroker.Core.Receivers;

namespace EdgeBroker.Core;

// Clients of other protocols, which have no session here.
public sealed partial class Broker
{
    private readonly ConcurrentDictionary<string, IGatewayClient> _gatewayClients = new(StringComparer.Ordinal);

    /// <summary>All clients of other protocols, in no order; who comes or goes meanwhile may be met or not. Takes no lock.</summary>
    internal IEnumerable<KeyValuePair<string, IGatewayClient>> GatewayClients => _gatewayClients;

    /// <summary>Has a client shown; false: another one has its id.</summary>
    public bool Show(IGatewayClient client) => _gatewayClients.TryAdd(client.Id, client);

    /// <summary>Has a client shown no more.</summary>
    public void Hide(IGatewayClient client) => _gatewayClients.TryRemove(new KeyValuePair<string, IGatewayClient>(client.Id, client));

    /// <summary>A client of another protocol, by its whole id, or by what it calls itself where no session has that name; null: there is none.</summary>
    internal IGatewayClient? FindGatewayClient(string id) =>
        _gatewayClients.GetValueOrDefault(id) ?? (_sessions.ContainsKey(id) ? null : _gatewayClients.GetValueOrDefault(ReservedIds.Coap + id));
}
