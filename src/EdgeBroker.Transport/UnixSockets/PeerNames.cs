using System.Collections.Concurrent;

namespace EdgeBroker.Transport.UnixSockets;

/// <summary>
/// The names of users at Unix sockets, each remembered for a minute: the name service may have to ask over the network, and clients come in numbers.
/// </summary>
/// <param name="time">The clock; only its monotonic side is used.</param>
/// <param name="lookUp">Where names come from; null: this machine's accounts.</param>
public sealed class PeerNames(TimeProvider time, Func<uint, string?>? lookUp = null)
{
    // As many as a machine has users that run clients; beyond, all are looked up anew.
    private const int Most = 1024;
    private static readonly TimeSpan Validity = TimeSpan.FromMinutes(1);

    private readonly Func<uint, string?> _lookUp = lookUp ?? LocalAccounts.UserName;
    private readonly ConcurrentDictionary<uint, (string Name, long Since)> _known = new();

    /// <summary>The name of a connection's user; null: the kernel does not tell who it is, or it has no name.</summary>
    /// <param name="userId">From <see cref="TransportConnection.PeerUserId"/> or <see cref="PeerCredentials"/>.</param>
    /// <param name="cause">Why there is none, and what to do; else empty.</param>
    public string? Find(uint? userId, out string cause)
    {
        cause = "";
        if (userId is not { } id)
        {
            cause = "the system does not tell which user the client runs as; identity = \"peer\" needs a Unix socket";
            return null;
        }

        if (_known.TryGetValue(id, out (string Name, long Since) known) && time.GetElapsedTime(known.Since) < Validity) return known.Name;
        if (_lookUp(id) is not { Length: > 0 } name)
        {
            // A number in a name's place could be somebody's name.
            cause = $"the client runs as user number {id}, which has no name on this machine; give it one (useradd), or run the client as another";
            return null;
        }

        if (_known.Count >= Most) _known.Clear();
        _known[id] = (name, time.GetTimestamp());
        return name;
    }
}
