using EdgeBroker.Configuration;
using EdgeBroker.Core;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Security;
using EdgeBroker.Security;
using EdgeBroker.Security.Tokens;
using EdgeBroker.Security.Verification;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Hosting;

/// <summary>Wires who may come in and what they may do. Both hang on one reference each, which are replaced while the broker runs.</summary>
internal sealed class AccessControl : IBrokerPart<AuthOptions>
{
    // Clients that come again and again: 8,192 cost about a megabyte.
    private const int RememberedOfOneAge = 4_096;

    private readonly Replaceable<IAuthenticator> _authenticator;
    private readonly string _dataDirectory;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly MemoryLedger _ledger;

    // Kept when users change: who waits goes on waiting, and who was verified by a line that is still there need not be verified anew.
    private VerificationQueue? _queue;
    private VerificationCache? _cache;
    private KeySource? _keys;
    private volatile bool _hasRulesInTokens;

    public AccessControl(AuthOptions options, string dataDirectory, BrokerLimits limits, ILoggerFactory loggers, TimeProvider time)
    {
        _dataDirectory = dataDirectory;
        _time = time;
        _log = loggers.CreateLogger<CredentialAuthenticator>();
        _ledger = limits.Ledger;
        Rules = new Replaceable<AclRuleSet>(options.Rules);
        _hasRulesInTokens = options.Tokens?.AclClaim is not null;
        _keys = KeysFor(options);
        _authenticator = new Replaceable<IAuthenticator>(Make(options, _keys));
        Authenticator = new GuardedAuthenticator(new SwitchableAuthenticator(_authenticator), limits);
    }

    /// <inheritdoc/>
    public string Name => "access";

    /// <summary>Decides about clients.</summary>
    public IAuthenticator Authenticator { get; }

    /// <summary>The rules they are judged by.</summary>
    public Replaceable<AclRuleSet> Rules { get; }

    /// <summary>What became of those who presented credentials; stays at zero where nobody can.</summary>
    public AuthenticationCounters Counters { get; } = new();

    /// <summary>
    /// What the rules say against the will of a client that connected to an earlier life of the process; null: nothing. Where it came in and by what is not
    /// known, so a rule of any listener and kind of account may allow it; nor is what its token allowed, so where tokens hold rules nobody is asked.
    /// </summary>
    public string? FindWillObjection(string clientId, string? userName, Message will)
    {
        if (_hasRulesInTokens) return null;
        AclRuleSet rules = Rules.Current;
        AccessVerdict verdict = default;
        foreach (string listener in rules.Rules.Select(rule => rule.Listener).Prepend("").Distinct(StringComparer.Ordinal))
        {
            foreach (AuthenticationMethod via in rules.Rules.Select(rule => rule.Via).Prepend(AuthenticationMethod.Unknown).Distinct())
            {
                verdict = rules.PermissionsFor(new AclSubject(userName, clientId, listener, via)).JudgePublish(will.Topic, will.QoS, will.Retain);
                if (verdict.IsAllowed) return null;
            }
        }

        return verdict.Cause;
    }

    /// <inheritdoc/>
    public ValueTask<IPreparedChange> PrepareAsync(AuthOptions next)
    {
        KeySource? keys = KeysFor(next);
        return ValueTask.FromResult<IPreparedChange>(new Change(this, next, Make(next, keys), keys));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _queue?.Dispose();
        _keys?.Dispose();
        return ValueTask.CompletedTask;
    }

    private IAuthenticator Make(AuthOptions options, KeySource? keys)
    {
        if (!options.HasCredentials) return new AnonymousAuthenticator(Rules);
        _queue ??= MakeQueue();
        _cache ??= new VerificationCache(RememberedOfOneAge, NameKey.Load(_dataDirectory));
        CredentialSources sources = options.Tokens is { } tokens
            ? new CredentialSources(options.Users, new TokenVerifier(tokens, _time), keys!.Keys)
            : new CredentialSources(options.Users);
        return new CredentialAuthenticator(sources, Rules, _queue, _cache, Counters, _time);
    }

    private VerificationQueue MakeQueue()
    {
        var queue = new VerificationQueue(VerificationQueue.WorkersFor(Environment.ProcessorCount), _log);
        _ledger.Poll(MemoryKind.Verifications, () => queue.MemoryBytes);
        return queue;
    }

    // What a server has is not part of the configuration: it stays as it is.
    private KeySource? KeysFor(AuthOptions options)
    {
        if (options.Tokens is null) return null;
        return _keys is { } present && options.Keys is null && present.IsFor(options) ? present : KeySource.Make(options, _time, _log);
    }

    /// <summary>Other users, keys and rules, for whoever comes from then on. Those who are connected are reviewed by the listeners, afterwards.</summary>
    private sealed class Change(AccessControl access, AuthOptions options, IAuthenticator authenticator, KeySource? keys) : IPreparedChange
    {
        private bool _isApplied;

        public ValueTask ApplyAsync(ChangeNotes notes)
        {
            _isApplied = true;
            KeySource? former = access._keys;
            access._keys = keys;
            access.Rules.Current = options.Rules;
            access._hasRulesInTokens = options.Tokens?.AclClaim is not null;
            access._authenticator.Current = authenticator;
            if (former != keys) former?.Dispose();
            else keys?.AskForNewer();
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            if (!_isApplied && keys != access._keys) keys?.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>Where token keys come from, with what reads them.</summary>
    private sealed class KeySource(ITokenKeys keys, AuthOptions options, KeySetServer? server) : IDisposable
    {
        public ITokenKeys Keys => keys;

        public static KeySource Make(AuthOptions options, TimeProvider time, ILogger log)
        {
            if (options.KeySetPlace is not { } place) return new KeySource(new FixedTokenKeys(options.Keys!), options, null);
            bool isFile = options.Keys is not null;
            KeySetServer? server = isFile ? null : new KeySetServer(new Uri(place));
            Func<CancellationToken, Task<byte[]>> read = server is null ? cancellation => File.ReadAllBytesAsync(place, cancellation) : server.ReadAsync;
            return new KeySource(new RefreshedTokenKeys(place, read, allowSecrets: isFile, options.Keys, options.KeySetRefresh, time, log), options, server);
        }

        /// <summary>Has the server asked for keys it may have changed.</summary>
        public void AskForNewer() => keys.AskForNewer();

        public bool IsFor(AuthOptions other) => options.KeySetPlace == other.KeySetPlace && options.KeySetRefresh == other.KeySetRefresh;

        public void Dispose()
        {
            (keys as IDisposable)?.Dispose();
            server?.Dispose();
        }
    }
}
