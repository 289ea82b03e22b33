using EdgeBroker.Core;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Http;
using EdgeBroker.Http.Access;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Hosting;

/// <summary>Who may administer the broker over HTTP, as a part: a reload replaces it; the start tells how to log in while nobody can.</summary>
/// <param name="options">What is in force.</param>
/// <param name="site">What HTTP listeners serve.</param>
/// <param name="listeners">The listeners at work.</param>
/// <param name="log">Event ids 9060-9069.</param>
internal sealed partial class HttpPart(Replaceable<HttpOptions> options, HttpSite site, Func<IEnumerable<IListener>> listeners, ILogger log)
    : IBrokerPart<HttpOptions>
{
    /// <inheritdoc/>
    public string Name => "http";

    /// <inheritdoc/>
    public ValueTask StartAsync(CancellationToken cancel)
    {
        if (!options.Current.AdmitsSomebody && NewLink() is { } link) LogOnce(log, link);
        return ValueTask.CompletedTask;
    }

    /// <summary>A link that lets one browser in, once; null: no listener may have one.</summary>
    public string? NewLink() => OnceAddress() is { } address ? $"{address}/#once={site.Once.Issue()}" : null;

    /// <summary>Where a one-time token may be used: on this machine, or where nobody on the way reads it; null: nowhere.</summary>
    private string? OnceAddress()
    {
        foreach (IListener listener in listeners())
        {
            ListenerSettings settings = listener.Settings;
            if (!settings.Protocol.SpeaksHttp() || (settings.Serve & (HttpSurfaces.Api | HttpSurfaces.Console)) == 0) continue;
            bool isLocal = settings.Address.StartsWith("127.", StringComparison.Ordinal) || settings.Address.StartsWith("localhost:", StringComparison.Ordinal)
                || settings.Address.StartsWith("[::1]", StringComparison.Ordinal);
            if (isLocal || settings.Protocol.SpeaksTls()) return $"{settings.Protocol.ToWord()}://{listener.EndPoint}";
        }

        return null;
    }

    /// <inheritdoc/>
    public ValueTask<IPreparedChange> PrepareAsync(HttpOptions next) => ValueTask.FromResult<IPreparedChange>(new Change(options, next));

    [LoggerMessage(9060, LogLevel.Warning, "nobody can log in to the console yet; this link lets you in, once, within 15 minutes: {Link}")]
    private static partial void LogOnce(ILogger log, string link);

    private sealed class Change(Replaceable<HttpOptions> options, HttpOptions next) : IPreparedChange
    {
        public ValueTask ApplyAsync(ChangeNotes notes)
        {
            bool isSame = next.Tokens.Select(Shown).SequenceEqual(options.Current.Tokens.Select(Shown), StringComparer.Ordinal);
            if (!isSame) notes.Add("[http]: tokens");
            options.Current = next;
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static string Shown(AccessToken token) => $"{token.Name} {token.Role} {Convert.ToHexString(token.Digest)}";
    }
}
