namespace EdgeBroker.Cli;

/// <summary>What the executable tells its caller; 64 and 78 are sysexits' numbers, and systemd is told not to restart on them.</summary>
public static class ExitCode
{
    public const int Success = 0;
    public const int Failed = 1;

    /// <summary>The time of <c>sub -W</c> is over; the number mosquitto_sub uses.</summary>
    public const int TimedOut = 27;

    public const int Usage = 64;
    public const int Configuration = 78;
}
