using System.Globalization;

namespace EdgeBroker.Storage.Opening;

/// <summary>The names in a store's directory.</summary>
internal sealed class StorePaths(string directory)
{
    private const string DatabaseName = "edgebroker.db";
    private const string SetAsidePrefix = DatabaseName + ".corrupt-";
    private const string ReplacedPrefix = DatabaseName + ".replaced-";
    private const int LongestName = 64;

    /// <summary>The directory; a full path.</summary>
    public string Directory { get; } = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));

    public string Database => Path.Combine(Directory, DatabaseName);

    public string Wal => Database + "-wal";

    /// <summary>A database being made; it gets its name when it is whole.</summary>
    public string Unfinished => Database + ".new";

    /// <summary>Where a database set aside under <paramref name="name"/> lies.</summary>
    public string SetAside(string name) => Path.Combine(Directory, name);

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
    public FileInfo[] SetAsideFiles() => new DirectoryInfo(Directory).GetFiles(SetAsidePrefix + "*");

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
