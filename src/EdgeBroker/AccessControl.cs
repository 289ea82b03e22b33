using EdgeBroker.Configuration;
using EdgeBroker.Core;
using EdgeBroker.Core.Security;
using EdgeBroker.Security;
using EdgeBroker.Security.Tokens;
using EdgeBroker.Security.Verification;
using Microsoft.Extensions.Logging;

namespace EdgeBroker;

/// <summary>Wires who may come in and what they may do. Both hang on one reference each, which are replaced while the broker runs.</summary>
internal sealed class AccessControl : IDisposable
{
    // Clients that come again and again: 8,192 cost about a megabyte.
    private const int RememberedOfOneAge = 4_096;

    private readonly TimeProvider _time;
    private readonly ILogger _log;

    // Kept when users change: who waits goes on waiting, and who was verified by a line that is still there need not be verified anew.
    private VerificationQueue? _queue;
    private VerificationCache? _cache;
    private KeySource? _keys;

    public AccessControl(AuthOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        _time = time;
        _log = loggers.CreateLogger<CredentialAuthenticator>();
        Rules = new AccessRules(options.Rules);
        Authenticator = new SwitchableAuthenticator(Make(options));
    }

    /// <summary>Decides about clients.</summary>
    public SwitchableAuthenticator Authenticator { get; }

    /// <summary>The rules they are judged by.</summary>
    public AccessRules Rules { get; }

    /// <summary>What became of those who presented credentials; stays at zero where nobody can.</summary>
    public AuthenticationCounters Counters { get; } = new();

    /// <summary>Has the counters shown under <c>$SYS/broker/auth/</c>.</summary>
    public void ShowIn(Broker broker)
    {
        broker.ShowUnderSys("auth/admitted", () => Counters.Admitted);
        broker.ShowUnderSys("auth/remembered", () => Counters.Remembered);
        broker.ShowUnderSys("auth/refused", () => Counters.Refused);
        broker.ShowUnderSys("auth/busy", () => Counters.Busy);
    }

    /// <summary>
    /// Puts other users, keys and rules in force for whoever comes from here on. Those who are connected are reviewed by the servers, afterwards. One thread at
    /// a time.
    /// </summary>
    public void Apply(AuthOptions options)
    {
        KeySource? former = _keys;
        IAuthenticator authenticator = Make(options);
        Rules.Current = options.Rules;
        Authenticator.Current = authenticator;
        if (former != _keys) former?.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _queue?.Dispose();
        _keys?.Dispose();
    }

    private IAuthenticator Make(AuthOptions options)
    {
        _keys = options.Tokens is null ? null : KeysFor(options);
        if (!options.HasCredentials) return new AnonymousAuthenticator(Rules);
        _queue ??= new VerificationQueue(VerificationQueue.WorkersFor(Environment.ProcessorCount), _log);
        _cache ??= new VerificationCache(RememberedOfOneAge);
        CredentialSources sources = options.Tokens is { } tokens
            ? new CredentialSources(options.Users, new TokenVerifier(tokens, _time), _keys!.Keys)
            : new CredentialSources(options.Users);
        return new CredentialAuthenticator(sources, Rules, _queue, _cache, Counters, _time);
    }

    private KeySource KeysFor(AuthOptions options)
    {
        // What a server has is not part of the configuration: it stays as it is, and is asked for.
        if (_keys is { } present && options.Keys is null && present.IsFor(options))
        {
            present.Keys.AskForNewer();
            return present;
        }

        return KeySource.Make(options, _time, _log);
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

        public bool IsFor(AuthOptions other) => options.KeySetPlace == other.KeySetPlace && options.KeySetRefresh == other.KeySetRefresh;

        public void Dispose()
        {
            (keys as IDisposable)?.Dispose();
            server?.Dispose();
        }
    }
}
