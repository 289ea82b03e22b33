namespace EdgeBroker.Crash.Tests.Disk;

/// <summary>
/// The names in the directory: those that are on the disk for certain and what was done to them since. Names change in order, as every journalling file system
/// keeps them: what survives is the first of it, never a later change without an earlier one. A name is certain only when its directory was synced, not when
/// its file was.
/// </summary>
internal sealed class DiskNames
{
    private readonly List<Change> _pending = [];
    private readonly Dictionary<string, DiskFile?> _certain = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DiskFile?> _current = new(StringComparer.Ordinal);

    private delegate void Step(Dictionary<string, DiskFile?> names);

    /// <summary>The names on the disk, with their files; null: a directory.</summary>
    public IReadOnlyDictionary<string, DiskFile?> Certain => _certain;

    /// <summary>The file that has a name now; null when there is none.</summary>
    public DiskFile? Find(string name) => _current.GetValueOrDefault(name);

    public void Add(long position, string name, DiskFile? file) => Do(position, names => names[name] = file, name);

    public void Remove(long position, string name) => Do(position, names => names.Remove(name), name);

    public void Rename(long position, string from, string to) => Do(position, names => Rename(names, from, to), from, to);

    /// <summary>A sync of a directory that began at a position.</summary>
    public void Sync(string directory, long began)
    {
        int last = _pending.FindLastIndex(c => c.Position <= began && c.Directories.Contains(directory));
        Settle(last + 1);
    }

    /// <summary>A sync of everything that began at a position.</summary>
    public void SyncAll(long began) => Settle(_pending.FindLastIndex(c => c.Position <= began) + 1);

    /// <summary>The power goes.</summary>
    public void Cut(Survival survival, long lastPosition, Random random)
    {
        Settle(survival switch
        {
            Survival.Nothing => 0,
            Survival.Everything => _pending.Count,
            Survival.Prefix => _pending.FindLastIndex(c => c.Position <= lastPosition) + 1,
            _ => random.Next(_pending.Count + 1),
        });
        _pending.Clear();
    }

    private void Settle(int count)
    {
        foreach (Change change in _pending.Take(count)) change.Step(_certain);
        _pending.RemoveRange(0, count);
    }

    private void Do(long position, Step step, params string[] names)
    {
        step(_current);
        _pending.Add(new Change(position, step, [.. names.Select(name => Path.GetDirectoryName(name) ?? "")]));
    }

    private static void Rename(Dictionary<string, DiskFile?> names, string from, string to)
    {
        foreach (string name in names.Keys.Where(name => name == from || name.StartsWith(from + "/", StringComparison.Ordinal)).ToArray())
        {
            names.Remove(name, out DiskFile? file);
            names[to + name[from.Length..]] = file;
        }
    }

    private readonly record struct Change(long Position, Step Step, string[] Directories);
}
