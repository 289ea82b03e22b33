namespace EdgeBroker.PubSub;

/// <summary>Exit codes of the verbs <c>pub</c> and <c>sub</c>.</summary>
internal static class ExitCode
{
    public const int Ok = 0;
    public const int Failed = 1;

    /// <summary>The time of <c>-W</c> is over; the number mosquitto_sub uses.</summary>
    public const int TimedOut = 27;

    /// <summary>The command line is wrong (EX_USAGE of sysexits).</summary>
    public const int Usage = 64;
}
