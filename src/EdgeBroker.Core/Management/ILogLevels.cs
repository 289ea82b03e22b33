using Microsoft.Extensions.Logging;

namespace EdgeBroker.Core.Management;

/// <summary>What one area of the log writes.</summary>
/// <param name="Area">The area.</param>
/// <param name="Level">The least severe level that it writes.</param>
/// <param name="IsOwn">Whether the area has a level of its own, and not that of all.</param>
/// <param name="Until">When that ends by itself; null: with the process, or when somebody says so.</param>
public sealed record LogAreaLevel(string Area, LogLevel Level, bool IsOwn, DateTimeOffset? Until);

/// <summary>How much the log says, by area, while the broker runs. Any thread.</summary>
public interface ILogLevels
{
    /// <summary>The area that stands for all that have no level of their own.</summary>
    const string All = "all";

    /// <summary>All areas, in the order of their names, and before them that of the others.</summary>
    IReadOnlyList<LogAreaLevel> Levels();

    /// <summary>Gives an area a level of its own, or takes it away again. It is not kept over a restart.</summary>
    /// <param name="area">The area.</param>
    /// <param name="level">The level; null: that of all.</param>
    /// <param name="lasting">After what time it goes by itself; null: it stays.</param>
    /// <returns>Whether there is such an area.</returns>
    bool Set(string area, LogLevel? level, TimeSpan? lasting);
}
