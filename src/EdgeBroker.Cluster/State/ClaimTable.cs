namespace EdgeBroker.Cluster.State;

/// <summary>One session that was claimed over a node which has not settled it yet.</summary>
/// <param name="Owner">Who has it now.</param>
/// <param name="Grant">By which grant.</param>
/// <param name="Over">Who had it.</param>
/// <param name="ConnectionStamp">The stamp of the CONNECT it was claimed for.</param>
/// <param name="IsClean">Whether what the former owner has of it is void.</param>
internal readonly record struct Claim(byte Owner, long Grant, byte Over, long ConnectionStamp, bool IsClean);

/// <summary>
/// Sessions claimed over nodes that have not settled yet, by client id. Entries are applied on one thread; every other may look up.
/// </summary>
internal sealed class ClaimTable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Claim> _claims = new(StringComparer.Ordinal);

    /// <summary>Claims in it.</summary>
    public int Count
    {
        get
        {
            lock (_lock.Alone()) return _claims.Count;
        }
    }

    /// <summary>The claim of a session; null: there is none.</summary>
    public Claim? Find(string clientId)
    {
        lock (_lock.Alone()) return _claims.TryGetValue(clientId, out Claim claim) ? claim : null;
    }

    /// <summary>All claims over a node, for that node when it is back.</summary>
    public List<KeyValuePair<string, Claim>> Over(byte node)
    {
        lock (_lock.Alone()) return [.. _claims.Where(one => one.Value.Over == node)];
    }

    /// <summary>Enters a claim; false: there is no room for another session.</summary>
    public bool TrySet(string clientId, in Claim claim)
    {
        lock (_lock.Alone())
        {
            if (_claims.Count >= StateLimits.MostClaims && !_claims.ContainsKey(clientId)) return false;
            _claims[clientId] = claim;
            return true;
        }
    }

    /// <summary>Forgets the claims over a node up to a grant.</summary>
    public void Forget(byte over, long throughGrant)
    {
        lock (_lock.Alone())
        {
            foreach ((string clientId, Claim claim) in _claims)
            {
                if (claim.Over == over && claim.Grant <= throughGrant) _claims.Remove(clientId);
            }
        }
    }

    /// <summary>All claims, in the order of their client ids: the same on every member.</summary>
    public List<KeyValuePair<string, Claim>> InOrder()
    {
        lock (_lock.Alone())
        {
            List<KeyValuePair<string, Claim>> all = [.. _claims];
            all.Sort(static (a, b) => string.CompareOrdinal(a.Key, b.Key));
            return all;
        }
    }
}
