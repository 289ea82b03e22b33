using Microsoft.Extensions.Logging;

namespace EdgeBroker.Verbs;

/// <summary>What is logged between reading the configuration and starting the broker.</summary>
internal static partial class RunLog
{
    [LoggerMessage(9001, LogLevel.Information, "edgebroker {Version} starting as {Node}, configured by {Configuration}, data in {DataDirectory}")]
    public static partial void Starting(ILogger log, string version, string node, string configuration, string dataDirectory);

    [LoggerMessage(9002, LogLevel.Warning, "{Warning}")]
    public static partial void ConfigurationWarning(ILogger log, string warning);

    [LoggerMessage(9003, LogLevel.Information, "{File} in the working directory is not read; name it: edgebroker -c {File}")]
    public static partial void FileNotRead(ILogger log, string file);

    [LoggerMessage(
        9004, LogLevel.Warning,
        "the broker runs as root, and needs nothing of that: run it as a user of its own, as packaging/edgebroker.service does (User=edgebroker)")]
    public static partial void RunsAsRoot(ILogger log);

    [LoggerMessage(
        9005, LogLevel.Warning,
        "the process may open {Limit} files, and the listeners' connections alone may be {Connections}: beyond that nobody is let in; raise the limit"
        + " (LimitNOFILE= of the unit, or ulimit -n), or lower max_connections")]
    public static partial void TooFewFiles(ILogger log, long limit, long connections);
}
