using System.Collections.Immutable;
using EdgeBroker.Configuration;
using EdgeBroker.Configuration.Rules;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Hosting;
using EdgeBroker.Hosting.Listeners;
using EdgeBroker.Logging;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Reloading;

/// <summary>
/// Reads the configuration again and puts it in force, as a whole or not at all: whatever can fail is done before anything changes. One reload at a time; event
/// ids 9020-9029.
/// </summary>
internal sealed partial class ConfigurationReload
{
    private const int MostPast = 20;
    private const string OtherFiles = "the files changed since they were checked";

    private readonly HostedParts _parts;
    private readonly ConfigurationSource _source;
    private readonly ListenerPart _listeners;
    private readonly ServiceStatus _services;
    private readonly LineLoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private ImmutableList<PastReload> _past = [];
    private bool _isClosed;

    // What is read: the configuration, or the password file alone.
    private string? _file;

    // What the password file held when it could not be taken; once for each state of it.
    private string? _refusedUsers;

    /// <param name="parts">What is changed.</param>
    /// <param name="source">Where the configuration is read, and which is in force.</param>
    /// <param name="listeners">Say where the broker listens.</param>
    /// <param name="services">The service manager, to be told.</param>
    /// <param name="loggers">The log, whose level may change.</param>
    /// <param name="time">The clock.</param>
    public ConfigurationReload(
        HostedParts parts, ConfigurationSource source, ListenerPart listeners, ServiceStatus services, LineLoggerFactory loggers, TimeProvider time)
    {
        _parts = parts;
        _source = source;
        _listeners = listeners;
        _services = services;
        _loggers = loggers;
        _time = time;
        _log = loggers.CreateLogger("EdgeBroker.Reload");
    }

    /// <summary>The last ones, the newest first. Any thread.</summary>
    public IReadOnlyList<PastReload> Past => Volatile.Read(ref _past);

    /// <summary>Reloads. Waits for one that is under way; takes as long as files take to be read, and clients to be reviewed.</summary>
    /// <param name="asked">Who asks for it, for the log.</param>
    public ReloadReport Run(string asked) => Run(asked, accepts: null)!;

    /// <summary>Reloads what somebody has seen before.</summary>
    /// <param name="asked">Who asks for it, for the log.</param>
    /// <param name="accepts">Whether what was read, by its tag, is what was seen; null: whatever it is.</param>
    /// <returns>Null: it is not, and nothing has changed.</returns>
    public ReloadReport? Run(string asked, Predicate<string>? accepts)
    {
        lock (_lock)
        {
            if (_isClosed) return Failure("the broker is stopping");
            _refusedUsers = null;
            bool isOther = false;
            ReloadReport report = Run(asked, _source.File, Read);
            if (isOther) return null;
            Keep(asked, report);
            return report;

            BrokerConfiguration? Read(out string[] errors)
            {
                BrokerConfiguration? read = _source.Read(out errors, out Func<string> tag);
                isOther = accepts is not null && !accepts(tag());
                if (!isOther) return read;
                errors = [OtherFiles];
                return null;
            }
        }
    }

    /// <summary>
    /// Takes the users anew if their file holds something else than it did, and with them the rules as they stand in the configuration then: nobody is to be
    /// judged by rules that are older than the user. Everything else stays as it is.
    /// </summary>
    public void TakeUsers()
    {
        lock (_lock)
        {
            if (_isClosed || _source.Current.Auth is not { UsersFile: { } file, WatchesUsers: true } auth) return;
            string digest = DigestOf(file);
            if (digest == auth.UsersDigest || digest == _refusedUsers) return;
            _refusedUsers = digest;
            const string asked = "a change of the password file";
            Keep(asked, Run(asked, file, ReadUsers));
        }
    }

    /// <summary>Waits for a reload under way, and allows none any more.</summary>
    public void Close()
    {
        lock (_lock) _isClosed = true;
    }

    private ReloadReport Run(string asked, string? file, ReadConfiguration readConfiguration)
    {
        _file = file;
        LogAsked(_log, asked);
        _services.Reloading(_time);
        ReloadReport report = Try(readConfiguration);
        _services.Ready(_listeners.Summary);
        return report;
    }

    private void Keep(string asked, ReloadReport report)
    {
        ImmutableList<PastReload> past = _past.Insert(0, new PastReload(_time.GetUtcNow(), asked, report));
        Volatile.Write(ref _past, past.Count > MostPast ? past.RemoveAt(MostPast) : past);
    }

    private BrokerConfiguration? ReadUsers(out string[] errors)
    {
        BrokerConfiguration running = _source.Current;
        if (_source.Read(out errors) is not { } read) return null;
        if (read.Auth.UsersFile != running.Auth.UsersFile)
        {
            errors = ["auth.password_file names another file than the one in force; a reload takes it"];
            return null;
        }

        return running with
        {
            Auth = running.Auth with { Users = read.Auth.Users, UsersDigest = read.Auth.UsersDigest, Rules = read.Auth.Rules },
            Http = running.Http with { Groups = read.Http.Groups },
            Written = running.Written with { Acl = read.Written.Acl, Groups = read.Written.Groups },
            Warnings = read.Warnings,
        };
    }

    // A file that cannot be read is a state like any other: the reload says why.
    private static string DigestOf(string file)
    {
        try
        {
            return AuthRules.DigestOf(File.ReadAllBytes(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.GetType().Name;
        }
    }

    private ReloadReport Try(ReadConfiguration readConfiguration)
    {
        try
        {
            if (readConfiguration(out string[] errors) is not { } read)
            {
                return Log(new ReloadReport { File = _file, ExitCode = ExitCode.Configuration, Errors = errors });
            }

            // Nothing that is awaited comes back to this thread.
            return ApplyAsync(read).GetAwaiter().GetResult();
        }
        catch (Exception exception)
        {
            // Sessions and messages are not touched by this, so clients are better served by a broker that goes on than by none.
            LogBroken(_log, exception);
            return Failure($"the reload broke off ({exception.GetType().Name}); the log says more") with { BrokeOff = true };
        }
    }

    private async Task<ReloadReport> ApplyAsync(BrokerConfiguration read)
    {
        BrokerConfiguration running = _source.Current;
        ConfigurationChanges changes = ConfigurationChanges.Find(running, read);
        BrokerConfiguration merged = ConfigurationChanges.Merge(running, read);
        IPreparedChange prepared;
        try
        {
            prepared = await _parts.PrepareAsync(merged).ConfigureAwait(false);
        }
        catch (PartException exception)
        {
            return Log(Failure(Printable.Escape(exception.Message)));
        }

        // From here on nothing fails.
        var notes = new ChangeNotes();
        foreach (string line in changes.Applied) notes.Add(line);
        if (changes.IsReviewDue) notes.RequireReview();
        await using (prepared.ConfigureAwait(false)) await prepared.ApplyAsync(notes).ConfigureAwait(false);
        if (notes.IsReviewDue) await ReviewAsync(notes).ConfigureAwait(false);
        _source.Current = merged;
        // The more talkative of the two levels says what was done.
        if (merged.Log.Level < running.Log.Level) _loggers.MinimumLevel = merged.Log.Level;
        var report = new ReloadReport { File = _file, Applied = notes.Lines, NeedsRestart = changes.NeedsRestart, Warnings = read.Warnings };
        Log(report);
        _loggers.MinimumLevel = merged.Log.Level;
        return report;
    }

    private async Task ReviewAsync(ChangeNotes notes)
    {
        int disconnected = await _parts.ReviewAsync().ConfigureAwait(false);
        if (disconnected > 0) notes.Add($"{disconnected} client(s) disconnected that are not permitted any more, or hold a subscription or will that is not");
    }

    private delegate BrokerConfiguration? ReadConfiguration(out string[] errors);

    private ReloadReport Failure(string problem) => new() { File = _file, ExitCode = ExitCode.Failed, Errors = [problem] };

    private ReloadReport Log(ReloadReport report)
    {
        foreach (string error in report.Errors) LogError(_log, error);
        if (report.ExitCode == ExitCode.Success) LogDone(_log, report.Summary);
        else LogError(_log, report.Summary);
        foreach (string line in report.Applied) LogApplied(_log, line);
        foreach (string line in report.NeedsRestart) LogNeedsRestart(_log, line);
        foreach (string line in report.Warnings) LogWarning(_log, line);
        return report;
    }

    [LoggerMessage(9020, LogLevel.Information, "reload asked for by {Asked}")]
    private static partial void LogAsked(ILogger log, string asked);

    [LoggerMessage(9021, LogLevel.Error, "{Error}")]
    private static partial void LogError(ILogger log, string error);

    [LoggerMessage(9022, LogLevel.Information, "{Summary}")]
    private static partial void LogDone(ILogger log, string summary);

    [LoggerMessage(9023, LogLevel.Information, "applied: {Change}")]
    private static partial void LogApplied(ILogger log, string change);

    [LoggerMessage(9024, LogLevel.Warning, "needs a restart: {Change}")]
    private static partial void LogNeedsRestart(ILogger log, string change);

    [LoggerMessage(9025, LogLevel.Warning, "{Warning}")]
    private static partial void LogWarning(ILogger log, string warning);

    [LoggerMessage(9026, LogLevel.Critical, "the reload broke off; restart the broker")]
    private static partial void LogBroken(ILogger log, Exception exception);
}
