using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Core.Security;

namespace EdgeBroker.Http.Access;

/// <summary>A login of a browser. Its cookie is a random number of which only the digest is kept; whoever reads memory cannot log in by it.</summary>
internal sealed class CookieSession
{
    /// <summary>Who logged in.</summary>
    public required string Name { get; init; }

    /// <summary>What was logged in with, to be reviewed with each request.</summary>
    public required AuthenticationResult Identity { get; init; }

    /// <summary>The listener it was made at.</summary>
    public required string Listener { get; init; }

    /// <summary>The token of the configuration it stands on; null: a user's login.</summary>
    public AccessToken? Token { get; init; }

    /// <summary>Whether it is by a one-time token, which makes an admin.</summary>
    public bool IsByOnceToken { get; init; }

    /// <summary>Proves that a request comes from the console's own page.</summary>
    public required string CsrfToken { get; init; }

    /// <summary>When it was made, by the monotonic clock.</summary>
    public required long BeganAt { get; init; }

    /// <summary>When it was last used.</summary>
    public long UsedAt
    {
        get => Volatile.Read(ref _usedAt);
        set => Volatile.Write(ref _usedAt, value);
    }

    private long _usedAt;
}

/// <summary>The logins of browsers, in memory only: a restart ends them all.</summary>
/// <param name="time">The clock.</param>
internal sealed class CookieSessions(TimeProvider time)
{
    /// <summary>How long a login lasts at most.</summary>
    public static readonly TimeSpan MostAge = TimeSpan.FromHours(12);

    /// <summary>How long it lasts unused; a viewer's does not end so, for a screen on the wall.</summary>
    public static readonly TimeSpan MostIdle = TimeSpan.FromMinutes(30);

    private const int TokenBytes = 32;
    private const int MostOfOne = 16;
    private const int Most = 1_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, CookieSession> _sessions = new(StringComparer.Ordinal);

    /// <summary>Begins a login; the oldest of its user makes room where there are too many.</summary>
    /// <returns>The login, and the cookie's value.</returns>
    public (CookieSession Session, string Cookie) Begin(
        string name, AuthenticationResult identity, string listener, AccessToken? token = null, bool isByOnceToken = false)
    {
        string cookie = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenBytes));
        long now = time.GetTimestamp();
        var session = new CookieSession
        {
            Name = name,
            Identity = identity,
            Listener = listener,
            Token = token,
            IsByOnceToken = isByOnceToken,
            CsrfToken = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenBytes)),
            BeganAt = now,
            UsedAt = now,
        };
        string key = KeyOf(cookie);
        lock (_lock)
        {
            string[] own = [.. _sessions.Where(one => one.Value.Name == name).OrderBy(one => one.Value.BeganAt).Select(one => one.Key)];
            if (own.Length >= MostOfOne) _sessions.Remove(own[0]);
            if (_sessions.Count >= Most) _sessions.Remove(_sessions.MinBy(one => one.Value.UsedAt).Key);
            _sessions.Add(key, session);
        }

        return (session, cookie);
    }

    /// <summary>The login of a cookie; null: there is none any more.</summary>
    /// <param name="cookie">The cookie's value.</param>
    /// <param name="roleOf">What it gives now; none: it ends.</param>
    /// <param name="isActivity">Whether it counts as used.</param>
    public CookieSession? Find(string cookie, Func<CookieSession, HttpRole> roleOf, bool isActivity)
    {
        string key = KeyOf(cookie);
        CookieSession? session;
        lock (_lock) _sessions.TryGetValue(key, out session);
        if (session is null) return null;
        HttpRole role = roleOf(session);
        if (HasEnded(session, role))
        {
            lock (_lock) _sessions.Remove(key);
            return null;
        }

        if (isActivity) session.UsedAt = time.GetTimestamp();
        return session;
    }

    /// <summary>Whether there is a login of a cookie; it may not be good any more.</summary>
    public bool Has(string cookie)
    {
        string key = KeyOf(cookie);
        lock (_lock) return _sessions.ContainsKey(key);
    }

    /// <summary>Whether a login is still good.</summary>
    /// <param name="session">The login.</param>
    /// <param name="role">What it gives now.</param>
    public bool IsOpen(CookieSession session, HttpRole role)
    {
        if (HasEnded(session, role)) return false;
        lock (_lock) return _sessions.ContainsValue(session);
    }

    /// <summary>Ends a login.</summary>
    public void End(string cookie)
    {
        string key = KeyOf(cookie);
        lock (_lock) _sessions.Remove(key);
    }

    /// <summary>When a login ends at the latest.</summary>
    public DateTimeOffset EndOf(CookieSession session) => time.GetUtcNow() + (MostAge - time.GetElapsedTime(session.BeganAt));

    private bool HasEnded(CookieSession session, HttpRole role) =>
        role == HttpRole.None || time.GetElapsedTime(session.BeganAt) > MostAge
        || (role > HttpRole.Viewer && time.GetElapsedTime(session.UsedAt) > MostIdle);

    // A cookie is a guess of 256 bits; comparing digests tells nothing of how near one came.
    private static string KeyOf(string cookie) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(cookie)));
}
