using System.Net;

namespace EdgeBroker.Transport.Proxies;

/// <summary>
/// Who may send a PROXY header to a listener, and so say where a client is: programs of this machine unless told otherwise. Who connects over a Unix socket
/// always may, since its file says who can connect at all.
/// </summary>
/// <param name="Networks">The addresses of the proxies.</param>
public sealed record TrustedProxies(IReadOnlyList<IPNetwork> Networks)
{
    /// <summary>Programs of this machine.</summary>
    public static readonly TrustedProxies Loopback = new([IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128")]);

    /// <summary>What the listener's log says of a sender that is none of them.</summary>
    public const string Refusal =
        "not one of the proxies of this listener; add its address to proxy_from if it is one, or use a listener without proxy_protocol";

    /// <summary>Whether an address is that of a proxy.</summary>
    /// <param name="peer">Where the connection comes from; null: a Unix socket.</param>
    public bool Trusts(IPAddress? peer)
    {
        if (peer is null) return true;
        // As a socket that serves both families shows an IPv4 peer.
        IPAddress address = peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer;
        foreach (IPNetwork network in Networks)
        {
            if (network.Contains(address)) return true;
        }

        return false;
    }

    /// <summary>Whether another trusts the same networks.</summary>
    public bool Equals(TrustedProxies? other) => other is not null && Networks.SequenceEqual(other.Networks);

    /// <inheritdoc/>
    public override int GetHashCode() => Networks.Aggregate(Networks.Count, HashCode.Combine);
}
