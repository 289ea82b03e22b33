using EdgeBroker.Configuration;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Transport.Linux;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Hosting;

/// <summary>Has the users taken anew when their file changes, as long as the configuration wants it.</summary>
/// <param name="options">Which file, and whether.</param>
/// <param name="take">Takes them, if the file holds others; does not throw.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Event id 9028.</param>
internal sealed partial class PasswordFileWatch(AuthOptions options, Action take, TimeProvider time, ILogger log) : IBrokerPart<AuthOptions>
{
    private AuthOptions _options = options;
    private FileWatch? _watch;

    /// <inheritdoc/>
    public string Name => "users";

    /// <inheritdoc/>
    public ValueTask StartAsync(CancellationToken cancel)
    {
        _watch = Begin();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<IPreparedChange> PrepareAsync(AuthOptions next) => ValueTask.FromResult<IPreparedChange>(new Change(this, next));

    /// <inheritdoc/>
    public ValueTask StopAsync(StopPhase phase, TimeSpan limit)
    {
        if (phase == StopPhase.StopAccepting) _watch?.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _watch?.Dispose();
        return ValueTask.CompletedTask;
    }

    private FileWatch? Begin() => _options is { UsersFile: { } file, WatchesUsers: true }
        ? new FileWatch([file], time, take, (folder, cause) => LogNotNoticed(log, folder, cause))
        : null;

    private void Take(AuthOptions next)
    {
        bool isSame = next.UsersFile == _options.UsersFile && next.WatchesUsers == _options.WatchesUsers;
        _options = next;
        if (isSame) return;
        _watch?.Dispose();
        _watch = Begin();
    }

    [LoggerMessage(9028, LogLevel.Information, "{Folder} gives no notice of changes ({Cause}); the password file is looked at every 30 s")]
    private static partial void LogNotNoticed(ILogger log, string folder, string cause);

    private sealed class Change(PasswordFileWatch watch, AuthOptions next) : IPreparedChange
    {
        public ValueTask ApplyAsync(ChangeNotes notes)
        {
            watch.Take(next);
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
