using System.Runtime.CompilerServices;
using SQLitePCL;

namespace EdgeBroker.Storage.Sqlite;

/// <summary>SQLite itself: linked into the executable, a shared library beside tests.</summary>
public static class SqliteLibrary
{
    // 3.7.0 to 3.51.2 can lose committed pages when two connections reset the WAL at the same moment.
    private const int OldestSoundVersion = 3_051_003;

    static SqliteLibrary()
    {
        Batteries_V2.Init();
        Version = raw.sqlite3_libversion().utf8_to_string();
        int number = raw.sqlite3_libversion_number();
        if (number < OldestSoundVersion) throw new NotSupportedException($"SQLite {Version} can corrupt databases in WAL mode; 3.51.3 or newer is needed.");
    }

    /// <summary>SQLite's version, such as "3.53.3".</summary>
    public static string Version { get; }

    /// <summary>Binds the calls to the library and checks its version: once, whoever comes first.</summary>
    /// <exception cref="TypeInitializationException">The library is missing, or is a version that corrupts databases; the inner exception says
    /// which.</exception>
    internal static void Load() => RuntimeHelpers.RunClassConstructor(typeof(SqliteLibrary).TypeHandle);
}
