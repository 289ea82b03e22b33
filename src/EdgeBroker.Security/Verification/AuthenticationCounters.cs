using EdgeBroker.Core.Metrics;

namespace EdgeBroker.Security.Verification;

/// <summary>What became of those who presented credentials. Counted from any thread; never reset.</summary>
public sealed class AuthenticationCounters
{
    private long _admitted;
    private long _remembered;
    private long _refused;
    private long _busy;

    /// <summary>Let in, remembered ones included.</summary>
    public long Admitted => Interlocked.Read(ref _admitted);

    /// <summary>Let in without verifying anew.</summary>
    public long Remembered => Interlocked.Read(ref _remembered);

    /// <summary>Refused: wrong credentials.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Refused unheard: too many were waiting.</summary>
    public long Busy => Interlocked.Read(ref _busy);

    /// <summary>Registers them.</summary>
    public void RegisterMeters(MeterRegistry meters)
    {
        Register(meters, "admitted", "clients let in by their credentials", () => Admitted);
        Register(meters, "remembered", "clients let in without verifying anew", () => Remembered);
        Register(meters, "refused", "clients with wrong credentials", () => Refused);
        Register(meters, "busy", "clients refused unheard: too many were waiting", () => Busy);
    }

    private static void Register(MeterRegistry meters, string name, string help, Func<long?> read) =>
        meters.Counter("edgebroker.auth." + name, "{client}", help, read, "auth/" + name);

    internal void CountAdmitted(bool remembered)
    {
        Interlocked.Increment(ref _admitted);
        if (remembered) Interlocked.Increment(ref _remembered);
    }

    internal void CountRefused() => Interlocked.Increment(ref _refused);

    internal void CountBusy() => Interlocked.Increment(ref _busy);
}
