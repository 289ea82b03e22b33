using System.Net;
using System.Net.Sockets;
using EdgeBroker.Configuration.Schema;
using EdgeBroker.Transport.Proxies;
using EdgeBroker.Transport.UnixSockets;

namespace EdgeBroker.Configuration.Rules;

/// <summary>What a listener is told about the other end of its connections.</summary>
/// <param name="Proxies">Who may speak for clients; null: nobody does.</param>
/// <param name="SocketFile">Who may connect to a Unix socket.</param>
/// <param name="IdentifiesPeers">Whether a client is the user that runs it.</param>
internal readonly record struct PeerOptions(TrustedProxies? Proxies, SocketFileAccess SocketFile, bool IdentifiesPeers);

/// <summary>
/// What the keys of a listener say about the other end: a proxy that speaks for clients, the file of a Unix socket, the user who runs a client.
/// </summary>
internal sealed class PeerRules(ConfigurationErrors errors, List<string> warnings)
{
    /// <summary>Checks the keys against each other and the address, and says what should be known of them.</summary>
    public PeerOptions Apply(ListenerDraft draft, ListenAddress address)
    {
        Check(draft, address);
        if (draft.IsProxied && !address.IsUnix) Warn(draft, address);
        TrustedProxies proxies = draft.ProxyFrom is null
            ? TrustedProxies.Loopback
            : new TrustedProxies([.. draft.ProxyFrom.Select(text => TryParseNetwork(text, out IPNetwork network) ? network : default)]);
        string[] owner = (draft.Owner ?? "").Split(':', 2);
        var file = new SocketFileAccess(draft.Mode ?? SocketFileAccess.Default.Mode, Named(owner[0]), owner.Length == 2 ? Named(owner[1]) : null);
        return new PeerOptions(draft.IsProxied ? proxies : null, file, draft.IdentifiesPeers);
    }

    /// <summary>Whether it is an address or a network: <c>10.0.0.5</c>, <c>10.0.0.0/8</c>, <c>fd00::/8</c>.</summary>
    public static bool IsNetwork(string text) => TryParseNetwork(text, out _);

    /// <summary>Whether it is three digits of permissions, with or without the zero in front.</summary>
    public static bool IsMode(string text) =>
        text.TrimStart('0') is { Length: > 0 and <= 3 } digits && text.Length is 3 or 4 && digits.All(c => c is >= '0' and <= '7');

    /// <summary>Whether it is <c>user</c>, <c>user:group</c> or <c>:group</c>.</summary>
    public static bool IsOwner(string text)
    {
        string[] parts = text.Split(':');
        return parts is [{ Length: > 0 }] or [_, { Length: > 0 }]
            && parts.All(part => part.Length <= 256 && part.All(c => c > ' ' && c != '/' && !char.IsControl(c)));
    }

    private static string? Named(string text) => text.Length == 0 ? null : text;

    private static bool TryParseNetwork(string text, out IPNetwork network)
    {
        network = default;
        string[] parts = text.Split('/');
        // Parsers also take "10" and "0x7f.1".
        bool isPlain = parts[0].Contains(':')
            ? !parts[0].AsSpan().ContainsAny('[', '%')
            : parts[0].Count(c => c == '.') == 3 && parts[0].All(c => char.IsAsciiDigit(c) || c == '.');
        if (!isPlain || !IPAddress.TryParse(parts[0], out IPAddress? address) || address.IsIPv4MappedToIPv6) return false;
        int bits = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        // Bits behind the prefix would say that one address is meant, or another network.
        return IPNetwork.TryParse(parts.Length == 1 ? $"{address}/{bits}" : text, out network) && network.BaseAddress.Equals(address);
    }

    private void Check(ListenerDraft draft, ListenAddress address)
    {
        if (draft.Table.Find("proxy_from") is { } from)
        {
            if (!draft.IsProxied)
            {
                errors.Add(from.Position, "\"proxy_from\" needs proxy_protocol = true");
            }
            else if (address.IsUnix)
            {
                errors.Add(
                    from.Position,
                    "\"proxy_from\" belongs to \"host:port\" addresses; which proxies may connect to a Unix socket is said by \"mode\" and \"owner\"");
            }
        }

        if (draft.IsProxied && draft.IdentifiesPeers)
        {
            errors.Add(
                draft.At("identity"), "identity = \"peer\" would make every client the user that runs the proxy; leave out one of identity and proxy_protocol");
        }
    }

    // Who may speak for others can be anyone: it is the one thing to get right about such a listener.
    private void Warn(ListenerDraft draft, ListenAddress address)
    {
        string shown = Printable.Escape(address.Text);
        if (draft.ProxyFrom is { } from)
        {
            warnings.Add(
                $"{draft.At("proxy_from")}: whoever connects to {shown} from {Printable.Escape(string.Join(", ", from))} is believed to be a proxy and may "
                + "claim any client address");
        }
        else if (address.IsLoopback)
        {
            warnings.Add($"{draft.At("proxy_protocol")}: every program on this machine may connect to {shown} and claim any client address");
        }
        else
        {
            warnings.Add($"{draft.At("proxy_protocol")}: only proxies on this machine can connect to {shown}; name others in proxy_from");
        }
    }
}
