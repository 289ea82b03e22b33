using System.Globalization;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Ports;

namespace EdgeBroker;

/// <summary>How the broker is: its store, its memory, its certificates.</summary>
/// <param name="broker">The broker.</param>
/// <param name="certificates">Those its listeners present; null: none do.</param>
/// <param name="time">The clock.</param>
internal sealed class BrokerHealth(Broker broker, Func<ICertificateExpiry?> certificates, TimeProvider time) : IHealth
{
    private static readonly TimeSpan NearEnd = TimeSpan.FromDays(30);

    /// <inheritdoc/>
    public IReadOnlyList<HealthFinding> Look() => [OfStore(), OfMemory(), .. certificates() is { } expiry ? expiry.Certificates.Select(OfCertificate) : []];

    private HealthFinding OfStore()
    {
        if (!broker.Journal.IsDurable) return new HealthFinding("store", HealthState.Good, "nothing is stored: durability is \"memory\"");
        return broker.Journal.Condition switch
        {
            JournalCondition.Ready => new HealthFinding("store", HealthState.Good, "it takes what must be kept"),
            JournalCondition.Full => new HealthFinding(
                "store", HealthState.Failing,
                "it is full: what must be kept drives out older messages or is refused; let clients fetch theirs, or raise storage.max_bytes"),
            _ => new HealthFinding("store", HealthState.Failing, "it cannot be written: what must be kept is refused until it can; the log names the cause"),
        };
    }

    private HealthFinding OfMemory() => broker.Limits.Memory.Stage switch
    {
        MemoryStage.Normal => new HealthFinding("memory", HealthState.Good, "there is enough"),
        MemoryStage.Refusing => new HealthFinding("memory", HealthState.Failing, "it is short: new connections are refused"),
        MemoryStage.Pausing =>
            new HealthFinding("memory", HealthState.Failing, "it is short: new connections are refused, and clients that publish are held back"),
        _ => new HealthFinding("memory", HealthState.Failing, "it is short: new connections are refused, clients that publish are held back, QoS 0 is dropped"),
    };

    private HealthFinding OfCertificate(CertificateValidity certificate)
    {
        TimeSpan left = certificate.NotAfter - time.GetUtcNow();
        string end = certificate.NotAfter.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        string subject = $"{certificate.Name} of {certificate.Listener}";
        if (left <= TimeSpan.Zero) return new HealthFinding("certificate", HealthState.Warning, $"{subject} has been over since {end}; clients refuse it");
        return new HealthFinding("certificate", left < NearEnd ? HealthState.Warning : HealthState.Good, $"{subject} is good until {end}");
    }
}
