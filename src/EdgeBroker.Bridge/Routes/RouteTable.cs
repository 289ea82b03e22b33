using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Routes;

/// <summary>The routes of a bridge. Of several that match a topic the first one decides.</summary>
internal sealed class RouteTable
{
    private readonly Route[] _out;
    private readonly Route[] _in;
    private readonly RoutedTopicCache _cache = new();

    /// <param name="routes">As configured.</param>
    /// <param name="clientId">The client id on the other side.</param>
    /// <exception cref="FormatException">A route makes no sense; says why.</exception>
    public RouteTable(IReadOnlyList<RouteOptions> routes, string clientId)
    {
        _out = [.. routes.Where(route => route.GoesOut).Select(route => Compile(route, clientId, isOutward: true))];
        _in = [.. routes.Where(route => route.ComesIn).Select(route => Compile(route, clientId, isOutward: false))];
    }

    /// <summary>The filters to subscribe to here, with the highest QoS asked for, and whether retained messages go as such.</summary>
    public IEnumerable<(string Filter, QoS QoS, bool KeepsRetain)> LocalFilters => FiltersOf(_out);

    /// <summary>Those of a lane.</summary>
    public IEnumerable<(string Filter, QoS QoS, bool KeepsRetain)> LocalFiltersOf(string lane) => FiltersOf([.. _out.Where(one => one.Options.Lane == lane)]);

    /// <summary>The filters to subscribe to there, with the highest QoS asked for.</summary>
    public IEnumerable<(string Filter, QoS QoS)> RemoteFilters => FiltersOf(_in).Select(one => (one.Filter, one.QoS));

    /// <summary>Whether messages come in at all.</summary>
    public bool ComesIn => _in.Length > 0;

    /// <summary>Who carries a local topic out, and what it becomes; null: nobody.</summary>
    public RoutedTopic? FindOut(ReadOnlySpan<byte> topic, int payloadBytes)
    {
        // Asked twice for each message, and topics come again.
        if (_cache.Find(topic) is { } known && !(payloadBytes > known.Route.MaximumPayloadBytes)) return known;
        RoutedTopic? found = Find(_out, topic, payloadBytes);
        if (found is { Excess: null }) _cache.Set(topic, found);
        return found;
    }

    /// <summary>Who carries a remote topic in, and what it becomes; null: nobody.</summary>
    public RoutedTopic? FindIn(ReadOnlySpan<byte> topic, int payloadBytes) => Find(_in, topic, payloadBytes);

    private static RoutedTopic? Find(Route[] routes, ReadOnlySpan<byte> topic, int payloadBytes)
    {
        foreach (Route route in routes)
        {
            if (route.Matches(topic)) return route.Carry(topic, payloadBytes);
        }

        return null;
    }

    private static IEnumerable<(string Filter, QoS QoS, bool KeepsRetain)> FiltersOf(Route[] routes) =>
        routes.GroupBy(route => Encoding.UTF8.GetString(route.Filter), StringComparer.Ordinal)
            .Select(same => (same.Key, same.Max(route => route.Options.MaximumQoS), same.Any(route => route.Options.KeepsRetain)));

    private static Route Compile(RouteOptions route, string clientId, bool isOutward)
    {
        string remote = route.Remote ?? route.Local;
        (string source, string target) = isOutward ? (route.Local, remote) : (remote, route.Local);
        if (source.Contains('{', StringComparison.Ordinal)) source = source.Replace("{client}", clientId, StringComparison.Ordinal);
        foreach (string filter in route.Exclude)
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(filter);
            if (!TopicFilter.IsValid(utf8) || TopicFilter.IsShared(utf8)) throw new FormatException($"\"{filter}\" in exclude is not a topic filter");
        }

        if (source.Contains('{', StringComparison.Ordinal))
        {
            throw new FormatException($"\"{source}\" is a template, and messages that come from there need a topic filter; "
                + (route.Direction == RouteDirection.Both ? "make it two routes, one out and one in" : "a template is for where they go to"));
        }

        return new Route(route, TopicMap.Create(source, target, clientId), isOutward);
    }
}

/// <summary>A route found for a topic.</summary>
/// <param name="Route">The route.</param>
/// <param name="Topic">The topic on the other side.</param>
/// <param name="Excess">Of what the message has more than may go; null: it may go.</param>
internal sealed record RoutedTopic(RouteOptions Route, byte[] Topic, string? Excess = null);
