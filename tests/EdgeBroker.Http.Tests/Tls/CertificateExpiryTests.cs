using EdgeBroker.Core.Hosting;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Mqtt.Tls;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Http.Tests.Tls;

public sealed class CertificateExpiryTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly MeterRegistry _meters = new();
    private readonly CertificateExpiry _expiry;
    private CertificateValidity[] _certificates = [];

    public CertificateExpiryTests()
    {
        _expiry = new CertificateExpiry(() => _certificates, _time);
        _expiry.RegisterMeters(_meters);
    }

    public void Dispose() => _meters.Dispose();

    [Fact]
    public void The_certificate_that_ends_first_is_told()
    {
        _certificates =
        [
            new CertificateValidity("wss on [::]:443", "b.crt", "later", new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero)),
            new CertificateValidity("mqtts on 0.0.0.0:8883", "a.crt", "gw", new DateTimeOffset(2026, 3, 11, 6, 0, 0, TimeSpan.FromHours(1))),
        ];
        Assert.Equal(["count 2", "days_left 9", "ends_first gw of mqtts on 0.0.0.0:8883", "valid_until 2026-03-11T05:00:00Z"], Told());
        Assert.Equal(
            [
                new HealthFinding("certificate", HealthState.Good, "later of wss on [::]:443 is valid until 2027-01-01"),
                new HealthFinding("certificate", HealthState.Warning, "gw of mqtts on 0.0.0.0:8883 is valid until 2026-03-11"),
            ],
            _expiry.Findings());
        _certificates = [_certificates[1] with { NotAfter = new DateTimeOffset(2026, 2, 28, 0, 0, 0, TimeSpan.Zero) }];
        // Over since a day and a half.
        Assert.Contains("days_left -2", Told());
        Assert.Equal(
            "gw of mqtts on 0.0.0.0:8883 expired on 2026-02-28; clients refuse it; renew it (\"edgebroker cert renew\")",
            Assert.Single(_expiry.Findings()).Detail);
    }

    [Fact]
    public void Each_file_has_its_end_as_long_as_it_is_in_use()
    {
        DateTimeOffset one = new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero), other = new(2026, 3, 11, 6, 0, 0, TimeSpan.Zero);
        _certificates = [new CertificateValidity("wss on [::]:443", "b.crt", "gw", one), new CertificateValidity("mqtts on [::]:8883", "b.crt", "gw", one)];
        _expiry.RegisterFiles(_meters);
        Assert.Equal([("b.crt", one.ToUnixTimeSeconds())], Ends());
        _certificates = [new CertificateValidity("wss on [::]:443", "c.crt", "gw", other)];
        _expiry.RegisterFiles(_meters);
        Assert.Equal([("c.crt", other.ToUnixTimeSeconds())], Ends());
        _certificates = [.. Enumerable.Range(0, 40).Select(i => new CertificateValidity("mqtts on [::]:8883", $"{i}.crt", "gw", one))];
        _expiry.RegisterFiles(_meters);
        Assert.Equal(30, Ends().Length);

        (string File, long End)[] Ends() =>
        [
            .. _meters.Entries.Where(entry => entry.Name == "edgebroker.certificate.expires" && entry.Read() is not null)
                .Select(entry => (entry.Tags.Single(tag => tag.Key == "file").Value, entry.Read()!.Value)),
        ];
    }

    [Fact]
    public void Without_certificates_nothing_is_said_of_them()
    {
        Assert.Empty(Told());
        Assert.Empty(_expiry.Findings());
    }

    private List<string> Told() =>
    [
        .. _meters.Entries.Where(entry => entry.SysTopics.Count > 0 && entry.Read() is not null).Select(entry => $"{Last(entry.SysTopics[0])} {entry.Read()}")
            .Concat(_meters.States.Where(state => state.Read() is not null).Select(state => $"{Last(state.SysTopic)} {state.Read()}"))
            .Order(StringComparer.Ordinal),
    ];

    private static string Last(string topic) => topic.Split('/')[^1];
}
