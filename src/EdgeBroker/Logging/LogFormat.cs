namespace EdgeBroker.Logging;

/// <summary>How a log line looks (<c>log.format</c>).</summary>
internal enum LogFormat
{
    /// <summary>journald's priority prefixes under systemd, else <see cref="Text"/>.</summary>
    Auto,

    /// <summary>For people: time, level, event, message.</summary>
    Text,

    /// <summary>One JSON object a line.</summary>
    Json,
}
