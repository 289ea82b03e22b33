using EdgeBroker.Logging;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Configuration;

/// <summary>The <c>[log]</c> table.</summary>
internal sealed record LogOptions
{
    /// <summary>The least severe level that is written.</summary>
    public LogLevel Level { get; init; } = LogLevel.Information;

    public LogFormat Format { get; init; } = LogFormat.Auto;
}
