using System.Collections.Concurrent;
using System.Globalization;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Mqtt.Tls;

/// <summary>How long the certificates in use are still valid, for those who watch over the broker.</summary>
/// <param name="read">Those in use at the moment; any thread.</param>
/// <param name="time">The clock.</param>
public sealed class CertificateExpiry(Func<IReadOnlyList<CertificateValidity>> read, TimeProvider time)
{
    private const int MostFiles = 32;
    private static readonly TimeSpan NearEnd = TimeSpan.FromDays(30);

    private readonly ConcurrentDictionary<string, bool> _told = new(StringComparer.Ordinal);

    /// <summary>One finding for each, and one for each thing else that ends or does not hold.</summary>
    public IEnumerable<HealthFinding> Findings()
    {
        foreach (CertificateValidity certificate in read())
        {
            yield return FindingOf(certificate);
            foreach (string warning in certificate.Warnings)
            {
                yield return new HealthFinding("certificate", HealthState.Warning, $"{certificate.Listener}: {warning}");
            }
        }
    }

    /// <summary>Registers them as one line to watch for all listeners: the certificate that ends first is the one to renew.</summary>
    public void RegisterMeters(MeterRegistry meters)
    {
        meters.Gauge(
            "edgebroker.certificates", "{certificate}", "certificates in use", () => read().Count is > 0 and int count ? count : null, "certificates/count");
        meters.Gauge(
            "edgebroker.certificates.valid", "d", "days until the first of them ends", () => First() is { } first ? DaysLeft(first) : null,
            "certificates/days_left");
        meters.State(
            "certificates/valid_until",
            "when the first of them ends",
            () => First()?.NotAfter.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        meters.State("certificates/ends_first", "which of them ends first", () => First() is { } first ? $"{first.Name} of {first.Listener}" : null);
    }

    /// <summary>
    /// Registers the end of each certificate by the file it is from, of new files only; called when files may have come. One that is not used any more tells
    /// nothing; of more than 32 files the rest is told by the first end alone.
    /// </summary>
    public void RegisterFiles(MeterRegistry meters)
    {
        foreach (string file in read().Select(certificate => certificate.File))
        {
            if (_told.Count >= MostFiles) return;
            if (!_told.TryAdd(file, true)) continue;
            meters.Gauge(
                "edgebroker.certificate.expires", MeterUnit.Seconds, "when a certificate ends, in seconds since 1970", () => EndOf(file), null, null,
                new MeterTag("use", "server"), new MeterTag("file", file));
        }
    }

    private long? EndOf(string file) =>
        read().Where(certificate => certificate.File == file).Select(certificate => (long?)certificate.NotAfter.ToUnixTimeSeconds()).Min();

    private CertificateValidity? First() => read().MinBy(certificate => certificate.NotAfter);

    private long DaysLeft(CertificateValidity certificate) => (long)Math.Floor((certificate.NotAfter - time.GetUtcNow()).TotalDays);

    private HealthFinding FindingOf(CertificateValidity certificate)
    {
        TimeSpan left = certificate.NotAfter - time.GetUtcNow();
        string end = certificate.NotAfter.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        string subject = $"{certificate.Name} of {certificate.Listener}";
        if (certificate.NotBefore > time.GetUtcNow())
        {
            string begin = certificate.NotBefore.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
            return new HealthFinding(
                "certificate", HealthState.Warning, $"{subject} is not valid before {begin} UTC; clients refuse it; check this machine's clock");
        }

        if (left <= TimeSpan.Zero)
        {
            return new HealthFinding(
                "certificate", HealthState.Warning, $"{subject} expired on {end}; clients refuse it; renew it (\"edgebroker cert renew\")");
        }

        return new HealthFinding("certificate", left < NearEnd ? HealthState.Warning : HealthState.Good, $"{subject} is valid until {end}");
    }
}

/// <summary>What became of TLS handshakes, of all listeners. Counted from any thread; never reset.</summary>
public sealed class TlsCounters
{
    private long _succeeded;
    private long _failed;
    private long _refused;

    /// <summary>Handshakes that succeeded.</summary>
    public long Succeeded => Volatile.Read(ref _succeeded);

    /// <summary>Handshakes that failed.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>Connections turned away because too many handshakes were in progress.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Registers them.</summary>
    public void RegisterMeters(MeterRegistry meters)
    {
        Register(meters, "succeeded", () => Succeeded);
        Register(meters, "failed", () => Failed);
        Register(meters, "refused", () => Refused);
        meters.Counter(
            "mqtt.errors.total", "{error}", "errors by kind; internal ones are bugs of the broker", () => Failed, tags: new MeterTag("kind", "tls"));
    }

    internal void CountSucceeded() => Interlocked.Increment(ref _succeeded);

    internal void CountFailed() => Interlocked.Increment(ref _failed);

    internal void CountRefused() => Interlocked.Increment(ref _refused);

    private static void Register(MeterRegistry meters, string result, Func<long?> read) => meters.Counter(
        "edgebroker.tls.handshakes", "{handshake}", "TLS handshakes by what became of them", read, "tls/handshakes/" + result,
        tags: new MeterTag("result", result));
}
