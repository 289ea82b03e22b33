using System.Text;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Limits;
using EdgeBroker.Core.Management;
using EdgeBroker.Protocol;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Core.Tests.Management;

public sealed class RecentRefusalsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RecentRefusals _refusals;

    public RecentRefusalsTests() => _refusals = new RecentRefusals(_time);

    [Fact]
    public void Alike_refusals_are_counted_together_and_the_newest_come_first()
    {
        _refusals.ConnectRefused(new ConnectRefusedEvent("10.0.0.5:51234", "press7", ReasonCode.BadUserNameOrPassword, "the password is wrong"));
        DateTimeOffset first = _time.GetUtcNow();
        _time.Advance(TimeSpan.FromSeconds(1));
        _refusals.PublishRefused(Refused("press7", "plant/lock", ReasonCode.NotAuthorized, "denied by the rule at broker.toml:61"));
        _time.Advance(TimeSpan.FromSeconds(1));
        _refusals.ConnectRefused(new ConnectRefusedEvent("10.0.0.5:51299", "press7", ReasonCode.BadUserNameOrPassword, "the password is wrong"));
        _refusals.PublishRefused(Refused("press7", "plant/other", ReasonCode.NotAuthorized, "denied by the rule at broker.toml:61"));
        _time.Advance(TimeSpan.FromSeconds(1));
        _refusals.SubscribeRefused(Refused("press8", "#", ReasonCode.NotAuthorized, "no [[acl]] rule allows to subscribe there"));
        IReadOnlyList<RefusalView> all = _refusals.ToList();
        Assert.Equal(["subscribe", "connect", "publish"], all.Select(one => one.What));
        Assert.Equal(
            new RefusalView("connect", "press7", "10.0.0.5", null, "the password is wrong", 0x86, 2, first, first.AddSeconds(2))
            {
                Hint = "edgebroker passwd sets a password; auth.password_file names the file in use",
            },
            all[1]);
        Assert.Equal(("plant/other", 2L, 0x87), (all[2].About, all[2].Count, all[2].ReasonCode));
        Assert.Equal(("press8", "#"), (all[0].ClientId, all[0].About));
    }

    [Fact]
    public void What_is_only_delayed_is_no_refusal()
    {
        var limits = new BrokerLimits(new BrokerClock(_time), new BrokerEvents(_refusals));
        limits.Report(LimitKind.MaxMemory, LimitAction.Delayed, "c");
        Assert.Empty(_refusals.ToList());
        limits.Report(LimitKind.MaxMemory, LimitAction.Refused, "c");
        _refusals.SubscribeRefused(Refused("c", "a", ReasonCode.QuotaExceeded));
        Assert.Equal(2, _refusals.ToList().Count);
    }

    [Fact]
    public void There_are_256_kinds_at_most_and_the_quietest_makes_room()
    {
        for (int i = 0; i < 300; i++)
        {
            _refusals.ConnectRefused(new ConnectRefusedEvent($"10.0.0.{i}:1", new string('x', 1000), ReasonCode.NotAuthorized, "no"));
            _refusals.ConnectRefused(new ConnectRefusedEvent("[::1]:1", null, ReasonCode.NotAuthorized, "no"));
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        IReadOnlyList<RefusalView> all = _refusals.ToList();
        Assert.Equal(256, all.Count);
        Assert.Single(all, one => one.Address == "::1" && one.Count == 300);
        Assert.Contains(all, one => one.Address == "10.0.0.299");
        Assert.DoesNotContain(all, one => one.Address == "10.0.0.0");
        Assert.All(all, one => Assert.InRange(one.ClientId?.Length ?? 0, 0, 203));
    }

    private static RefusedEvent Refused(string clientId, string topic, ReasonCode reason, string? cause = null) =>
        new() { ClientId = clientId, Topic = Encoding.UTF8.GetBytes(topic), Reason = reason, Cause = cause };
}
