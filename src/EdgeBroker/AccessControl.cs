using EdgeBroker.Configuration;
using EdgeBroker.Core.Security;
using EdgeBroker.Security;
using EdgeBroker.Security.Tokens;
using EdgeBroker.Security.Verification;
using Microsoft.Extensions.Logging;

namespace EdgeBroker;

/// <summary>Wires who may come in and what they may do. Both hang on one reference each, to be replaced while the broker runs.</summary>
internal sealed class AccessControl : IDisposable
{
    // Clients that come again and again: 8,192 cost about a megabyte.
    private const int RememberedOfOneAge = 4_096;

    private readonly List<IDisposable> _owned = [];

    public AccessControl(AuthOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        Rules = new AccessRules(options.Rules);
        Authenticator = new SwitchableAuthenticator(Make(options, loggers, time));
    }

    /// <summary>Decides about clients.</summary>
    public SwitchableAuthenticator Authenticator { get; }

    /// <summary>The rules they are judged by.</summary>
    public AccessRules Rules { get; }

    /// <summary>What became of those who presented credentials; stays at zero where nobody can.</summary>
    public AuthenticationCounters Counters { get; } = new();

    /// <inheritdoc/>
    public void Dispose() => _owned.ForEach(one => one.Dispose());

    private IAuthenticator Make(AuthOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        if (!options.HasCredentials)
            return new AnonymousAuthenticator(Rules);
        ILogger log = loggers.CreateLogger<CredentialAuthenticator>();
        VerificationQueue queue = Own(new VerificationQueue(VerificationQueue.WorkersFor(Environment.ProcessorCount), log));
        CredentialSources sources = options.Tokens is { } tokens
            ? new CredentialSources(options.Users, new TokenVerifier(tokens, time), KeysOf(options, time, log))
            : new CredentialSources(options.Users);
        return new CredentialAuthenticator(sources, Rules, queue, new VerificationCache(RememberedOfOneAge), Counters, time);
    }

    private ITokenKeys KeysOf(AuthOptions options, TimeProvider time, ILogger log)
    {
        if (options.KeySetPlace is not { } place)
            return new FixedTokenKeys(options.Keys!);
        bool isFile = options.Keys is not null;
        Func<CancellationToken, Task<byte[]>> read = isFile
            ? cancellation => File.ReadAllBytesAsync(place, cancellation)
            : Own(new KeySetServer(new Uri(place))).ReadAsync;
        return Own(new RefreshedTokenKeys(place, read, allowSecrets: isFile, options.Keys, options.KeySetRefresh, time, log));
    }

    private T Own<T>(T one)
        where T : IDisposable
    {
        _owned.Add(one);
        return one;
    }
}
