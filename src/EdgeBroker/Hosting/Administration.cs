using EdgeBroker.Configuration;
using EdgeBroker.Core.Management;
using EdgeBroker.Hosting.Listeners;
using EdgeBroker.Http.Api;
using EdgeBroker.Http.Routing;
using EdgeBroker.Logging;
using EdgeBroker.Reloading;
using EdgeBroker.Storage;
using EdgeBroker.Storage.Opening;
using EdgeBroker.Storage.Tools;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Verbs;

namespace EdgeBroker.Hosting;

/// <summary>What the API asks of the process around the broker.</summary>
/// <param name="source">The configuration.</param>
/// <param name="listeners">Where the broker listens.</param>
/// <param name="reload">Puts the configuration's files in force.</param>
/// <param name="loggers">The log.</param>
/// <param name="time">The clock.</param>
internal sealed class Administration(
    ConfigurationSource source, ListenerPart listeners, ConfigurationReload reload, LineLoggerFactory loggers,
    TimeProvider time) : IAdministration
{
    private const long SpareBytes = 16 * 1024 * 1024;

    /// <inheritdoc/>
    public string Version => VersionCommand.Version;

    /// <inheritdoc/>
    public string? Commit => VersionCommand.Commit;

    /// <inheritdoc/>
    public IReadOnlyList<ListenerAnswer> Listeners =>
        [.. listeners.Running.Select(one => new ListenerAnswer(
            one.Settings.Address, one.Settings.Protocol.ToWord(), one.EndPoint, one.Settings.AllowAnonymous))];

    /// <inheritdoc/>
    public string Configuration => ConfigurationDocuments.ShowJsonWithOrigins(source.Current);

    /// <inheritdoc/>
    public IReadOnlyList<CertificateAnswer> Certificates
    {
        get
        {
            DateTimeOffset now = time.GetUtcNow();
            return [.. listeners.Certificates.Select(one => new CertificateAnswer(
                "server", one.Listener, one.File, one.Name, one.NotAfter, (int)Math.Floor((one.NotAfter - now).TotalDays)))];
        }
    }

    /// <inheritdoc/>
    public (string Path, long Bytes) MakeBackup(string name, CancellationToken cancel)
    {
        BrokerConfiguration configuration = source.Current;
        string store = StoreFile.PathIn(configuration.Node.DataDirectory);
        if (!File.Exists(store)) throw new HttpProblem(ProblemKind.StoreFailing, "nothing is stored (storage.durability = \"memory\")");
        string folder = BackupFolder(configuration.Node.DataDirectory);
        try
        {
            if (!OperatingSystem.IsWindows()) Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            long needed = new FileInfo(store).Length;
            if (new DriveInfo(folder).AvailableFreeSpace < needed + SpareBytes)
            {
                throw new HttpProblem(ProblemKind.NoSpace, $"a copy takes {needed / 1024} KB, and there is no room for it beside the store");
            }

            string path = Path.Combine(folder, name + ".db");
            return (path, StoreBackup.Run(store, path, replace: false, cancel));
        }
        catch (Exception exception) when (exception is StoreException or IOException or UnauthorizedAccessException)
        {
            bool isFull = exception is StoreException { Problem: StoreProblem.DiskFull };
            throw new HttpProblem(isFull ? ProblemKind.NoSpace : ProblemKind.StoreFailing, exception.Message);
        }
    }

    /// <summary>Deletes copies that nobody fetched before the broker ended.</summary>
    public void DeleteLeftOver()
    {
        try
        {
            string folder = BackupFolder(source.Current.Node.DataDirectory);
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // What cannot be deleted does no harm but take room.
        }
    }

    private static string BackupFolder(string dataDirectory) => Path.Combine(dataDirectory, "fetched-backups");

    /// <inheritdoc/>
    public IReadOnlyList<LogLine> LogLines => loggers.Tail?.ToList() ?? [];

    /// <inheritdoc/>
    public LogLevelAnswer LogLevel
    {
        get
        {
            IReadOnlyList<LogAreaLevel> areas = loggers.Levels.Levels();
            LogAreaLevel all = areas[0];
            return new LogLevelAnswer(LogLevels.Name(all.Level), LogLevels.Name(source.Current.Log.Level))
            {
                UntilSeconds = all.Until is { } until ? Math.Max(0, (long)Math.Ceiling((until - time.GetUtcNow()).TotalSeconds)) : null,
                Areas = [.. areas.Skip(1).Select(one => new LogAreaAnswer(one.Area, LogLevels.Name(one.Level), one.IsOwn) { UntilAt = one.Until })],
            };
        }
    }

    /// <inheritdoc/>
    public bool SetLogLevel(string? area, string? level, TimeSpan? duration) =>
        loggers.Levels.Set(area ?? ILogLevels.All, level is null ? null : LogLevels.Find(level), duration);

    /// <inheritdoc/>
    public ConfigCheckAnswer Check(string? toml, out string tag)
    {
        BrokerConfiguration? read = source.Read(out string[] errors, out Func<string> nameIt, toml);
        tag = nameIt();
        if (read is null) return new ConfigCheckAnswer { Valid = false, Errors = errors };
        ConfigurationChanges changes = ConfigurationChanges.Find(source.Current, read);
        return new ConfigCheckAnswer { Valid = true, Warnings = read.Warnings, Changes = changes.Applied, RestartNeeded = changes.NeedsRestart };
    }

    /// <inheritdoc/>
    public ReloadResult? Reload(string by, Predicate<string> accepts)
    {
        if (reload.Run($"{by} over HTTP", accepts) is not { } report) return null;
        return ResultOf(report);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ReloadEntry> Reloads => [.. reload.Past.Select(one => new ReloadEntry(one.At, one.Asked, ResultOf(one.Report)))];

    private static ReloadResult ResultOf(ReloadReport report) => new()
    {
        Summary = report.Summary,
        Errors = report.Errors,
        Changed = report.Applied,
        RestartNeeded = report.NeedsRestart,
        Warnings = report.Warnings,
    };
}
