using System.Globalization;

namespace EdgeBroker.Storage.Opening;

/// <summary>The names in a store's directory. The database may be a link to another disk: then it, and what lies beside it, is where that leads.</summary>
internal sealed class StorePaths
{
    private const string DatabaseName = "edgebroker.db";
    private const string SetAsidePrefix = DatabaseName + ".corrupt-";
    private const string ReplacedPrefix = DatabaseName + ".replaced-";
    private const int LongestName = 64;

    /// <param name="directory">The directory; relative paths start at the working directory.</param>
    /// <exception cref="StoreException">The database is a link that leads nowhere (Missing).</exception>
    public StorePaths(string directory)
    {
        Directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        Database = Follow(Path.Combine(Directory, DatabaseName));
        Folder = Path.GetDirectoryName(Database)!;
    }

    /// <summary>The directory; a full path.</summary>
    public string Directory { get; }

    /// <summary>The database itself, whether it is there or not; no link.</summary>
    public string Database { get; }

    /// <summary>The folder that the database lies in: the directory, unless the database is a link.</summary>
    public string Folder { get; }

    public string Wal => Database + "-wal";

    /// <summary>A database being made; it gets its name when it is whole.</summary>
    public string Unfinished => Database + ".new";

    /// <summary>Where a database set aside under <paramref name="name"/> lies.</summary>
    public string SetAside(string name) => Path.Combine(Folder, name);

    /// <summary>A name for a database to be set aside now, that neither it nor its WAL would have to share.</summary>
    public string NewSetAsideName(DateTimeOffset now) => NewName(SetAsidePrefix, now);

    /// <summary>The same for a sound database in whose place another one is put.</summary>
    public string NewReplacedName(DateTimeOffset now) => NewName(ReplacedPrefix, now);

    /// <summary>Whether a name is one of ours: what the lock file says is not trusted with paths.</summary>
    public static bool IsSetAsideName(string name)
    {
        string? prefix = name.StartsWith(SetAsidePrefix, StringComparison.Ordinal) ? SetAsidePrefix
            : name.StartsWith(ReplacedPrefix, StringComparison.Ordinal) ? ReplacedPrefix
            : null;
        if (prefix is null) return false;
        foreach (char c in name.AsSpan(prefix.Length))
        {
            if (!char.IsAsciiDigit(c) && c != '-') return false;
        }

        return name.Length > prefix.Length && name.Length <= LongestName;
    }

    /// <summary>The files of all databases that were set aside.</summary>
    public FileInfo[] SetAsideFiles() => new DirectoryInfo(Folder).GetFiles(SetAsidePrefix + "*");

    private static string Follow(string database)
    {
        var file = new FileInfo(database);
        if (file.LinkTarget is null) return database;
        FileSystemInfo? target = null;
        try
        {
            target = file.ResolveLinkTarget(returnFinalTarget: true);
        }
        catch (IOException)
        {
            // Links in a circle.
        }

        if (target is { Exists: true }) return target.FullName;
        throw new StoreException(
            StoreProblem.Missing,
            $"{database} is a link to {target?.FullName ?? file.LinkTarget}, which is not there: mount the disk it is on, "
                + "or remove the link to begin with an empty store");
    }

    private string NewName(string prefix, DateTimeOffset now)
    {
        string dated = prefix + now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        string name = dated;
        for (int i = 2; Path.Exists(SetAside(name)) || Path.Exists(SetAside(name) + "-wal"); i++)
        {
            name = string.Create(CultureInfo.InvariantCulture, $"{dated}-{i}");
        }

        return name;
    }
}
