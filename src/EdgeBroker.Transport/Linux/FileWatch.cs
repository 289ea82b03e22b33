namespace EdgeBroker.Transport.Linux;

/// <summary>
/// Has somebody look at files when they may have changed: at notice of the file system, and every half minute, since a mount or a link that is swapped does not
/// always give notice. It only gives hints; who looks finds out what has changed. One look at a time, on a thread of the pool.
/// </summary>
public sealed class FileWatch : IDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(30);

    // Who replaces files that belong together gets the time to write all of them.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(200);

    private readonly List<FileSystemWatcher> _watchers = [];
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private bool _isDisposed;

    /// <param name="files">Full paths.</param>
    /// <param name="time">The clock.</param>
    /// <param name="look">Looks; does not throw. Not called while the process may open no more files: what cannot be opened for that has not changed.</param>
    /// <param name="notNoticed">Told, now, of each folder that gives no notice, with the cause.</param>
    public FileWatch(IEnumerable<string> files, TimeProvider time, Action look, Action<string, string> notNoticed)
    {
        _timer = time.CreateTimer(static state => LookAt((Action)state!), look, LookInterval, LookInterval);
        foreach (string directory in files.Select(file => Path.GetDirectoryName(file)!).Distinct(StringComparer.Ordinal)) Watch(directory, notNoticed);
    }

    /// <summary>Ends the watch; a look that has begun goes on.</summary>
    public void Dispose()
    {
        lock (_lock.Alone()) _isDisposed = true;
        foreach (FileSystemWatcher watcher in _watchers) watcher.Dispose();
        _timer.Dispose();
    }

    private static void LookAt(Action look)
    {
        try
        {
            using var probe = File.OpenHandle("/dev/null");
        }
        catch (IOException exception) when (exception.HResult is LinuxSockets.ErrorTooManyFiles or LinuxSockets.ErrorTooManyFilesInSystem)
        {
            return;
        }

        look();
    }

    private void Watch(string directory, Action<string, string> notNoticed)
    {
        try
        {
            var watcher = new FileSystemWatcher(directory);
            // Whatever happens there is only a hint to look; links to elsewhere are seen by looking alone.
            watcher.Changed += OnChange;
            watcher.Created += OnChange;
            watcher.Deleted += OnChange;
            watcher.Renamed += OnChange;
            watcher.EnableRaisingEvents = true;
            _watchers.Add(watcher);
        }
        catch (Exception exception) when (exception is IOException or ArgumentException)
        {
            notNoticed(directory, exception.Message);
        }
    }

    private void OnChange(object sender, FileSystemEventArgs change)
    {
        lock (_lock.Alone())
        {
            if (!_isDisposed) _timer.Change(Settle, LookInterval);
        }
    }
}
