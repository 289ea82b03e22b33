using EdgeBroker.Http.Tls;
using Microsoft.AspNetCore.Http.Features;

namespace EdgeBroker.Http;

/// <summary>The user that runs the client of a Unix socket, as the system attests it.</summary>
/// <param name="UserName">Its name.</param>
internal sealed record LocalPeer(string UserName)
{
    /// <summary>The name that a connection has proved to be its client's, by certificate or by the system; null: none.</summary>
    public static string? IdentityOf(IFeatureCollection features) => features.Get<TlsSession>()?.Identity ?? features.Get<LocalPeer>()?.UserName;
}
