using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Sessions;
using EdgeBroker.Core.Tests.Rig;

namespace EdgeBroker.Core.Tests.Sessions;

public sealed class SessionLifetimeTests
{
    private static readonly QueuePolicy Policy = new(1, 2, null, null, QueueOverflow.Reject, KeepsQoS0: true);

    [Fact]
    public void Each_connection_has_a_generation_that_is_good_until_the_next_change()
    {
        var lifetime = new SessionLifetime();
        Assert.True(lifetime.IsNew);
        uint first = lifetime.Attach(Grant(60));
        Assert.True(lifetime.IsCurrent(first) && !lifetime.IsNew && lifetime.OutlivesConnection);
        uint second = lifetime.Attach(Grant(60));
        Assert.True(!lifetime.IsCurrent(first) && lifetime.IsCurrent(second));
        lifetime.Detach(0, discardWill: false, newExpirySeconds: null);
        Assert.False(lifetime.IsCurrent(second));
        uint third = lifetime.Attach(Grant(60));
        lifetime.End();
        Assert.True(lifetime.HasEnded && !lifetime.IsCurrent(third));
    }

    [Theory]
    [InlineData(60u, null, true, 61_000)]
    [InlineData(60u, 5u, true, 6_000)]
    [InlineData(60u, 0u, false, 1_000)]
    [InlineData(0u, null, false, 1_000)]
    public void It_lasts_as_long_as_the_last_word_said(uint granted, uint? asked, bool outlives, long expiresAtMs)
    {
        var lifetime = new SessionLifetime();
        lifetime.Attach(Grant(granted));
        lifetime.Detach(1_000, discardWill: false, asked);
        Assert.Equal((outlives, expiresAtMs), (lifetime.OutlivesConnection, lifetime.DueMs));
        Assert.True(lifetime.HasExpired(expiresAtMs) && !lifetime.HasExpired(expiresAtMs - 1));
    }

    [Fact]
    public void The_will_is_due_once_after_its_delay_or_at_the_end()
    {
        Will will = Bench.WillOf("w", "gone", delaySeconds: 10);
        var lifetime = new SessionLifetime();
        lifetime.Attach(Grant(60, will));
        lifetime.Detach(1_000, discardWill: false, null);
        Assert.Equal(11_000, lifetime.DueMs);
        Assert.Null(lifetime.TakeDueWill(10_999));
        Assert.Same(will, lifetime.TakeDueWill(11_000));
        Assert.Null(lifetime.TakeDueWill(20_000));
        Assert.Equal(61_000, lifetime.DueMs);
        lifetime.Attach(Grant(60, will));
        lifetime.Detach(30_000, discardWill: false, null);
        Assert.Same(will, lifetime.End());
        Assert.Null(lifetime.End());
    }

    [Fact]
    public void A_discarded_will_is_never_due()
    {
        var lifetime = new SessionLifetime();
        lifetime.Attach(Grant(60, Bench.WillOf("w", "gone")));
        lifetime.Detach(0, discardWill: true, null);
        Assert.Equal(60_000, lifetime.DueMs);
        Assert.Null(lifetime.TakeDueWill(long.MaxValue - 1));
        Assert.Null(lifetime.End());
    }

    [Fact]
    public void It_belongs_to_whoever_began_it()
    {
        var lifetime = new SessionLifetime();
        Assert.True(lifetime.BelongsTo("anna") && lifetime.BelongsTo(null));
        lifetime.Attach(Grant(60) with { UserName = "anna" });
        Assert.True(lifetime.BelongsTo("anna"));
        Assert.False(lifetime.BelongsTo("berta") || lifetime.BelongsTo(null));
        // Nor is what nobody in particular began anybody's.
        lifetime = new SessionLifetime();
        lifetime.Attach(Grant(60));
        Assert.False(lifetime.BelongsTo("anna"));
    }

    [Fact]
    public void What_the_store_is_told_brings_it_back()
    {
        Will will = Bench.WillOf("w", "gone", delaySeconds: 10);
        var lifetime = new SessionLifetime();
        lifetime.Attach(Grant(60, will) with { UserName = "anna" });
        var identity = new Identity();
        SessionSaved connected = lifetime.ToFact(identity, isConnected: true, sentPosition: 5, policy: null);
        Assert.True(connected.IsConnected);
        Assert.All([connected.EndsAtMs, connected.WillAtMs, connected.SentPosition], time => Assert.Equal(SessionSaved.Never, time));
        lifetime.Detach(1_000, discardWill: false, null);
        SessionSaved saved = lifetime.ToFact(identity, isConnected: false, sentPosition: 5, Policy);
        Assert.Same(Policy, saved.QueuePolicy);
        Assert.Equal((60u, false, 61_000, 11_000, 5), (saved.ExpirySeconds, saved.IsConnected, saved.EndsAtMs, saved.WillAtMs, saved.SentPosition));
        var restored = new SessionLifetime();
        restored.Restore(new RestoredSession(identity)
        {
            ExpirySeconds = saved.ExpirySeconds,
            EndsAtMs = saved.EndsAtMs,
            WillAtMs = saved.WillAtMs,
            SentPosition = 5,
            Will = saved.Will,
            UserName = saved.UserName,
            QueuePolicy = saved.QueuePolicy,
        }, backByMs: 99_000);
        Assert.True(!restored.IsNew && restored.OutlivesConnection && restored.BelongsTo("anna") && !restored.BelongsTo(null));
        Assert.Equal(11_000, restored.DueMs);
        Assert.Same(will, restored.TakeDueWill(11_000));
        Assert.Equal(61_000, restored.DueMs);
    }

    [Theory]
    [InlineData(0, 61_000, 61_000)]
    [InlineData(60, 60_000, 60_000)]
    [InlineData(60, 5_000, 5_000)]
    public void Whoever_lost_the_connection_with_the_process_has_time_to_be_back(uint expirySeconds, long backByMs, long expectedMs)
    {
        var restored = new SessionLifetime();
        restored.Restore(new RestoredSession(new Identity())
        {
            ExpirySeconds = expirySeconds,
            EndsAtMs = 1_000 + (expirySeconds * 1_000),
            WillAtMs = 1_000,
            SentPosition = 0,
            Will = Bench.WillOf("w", "gone"),
            UserName = null,
            QueuePolicy = null,
            LostConnection = true,
        }, backByMs);
        Assert.True(restored.AwaitsReturn);
        Assert.Equal(expectedMs, restored.DueMs);
        Assert.False(restored.HasExpired(expectedMs - 1));
        Assert.Equal(expirySeconds == 0, restored.HasExpired(expectedMs));
        restored.Attach(Grant(expirySeconds));
        Assert.False(restored.AwaitsReturn);
    }

    private static SessionGrant Grant(uint expirySeconds, Will? will = null) => new(expirySeconds, 100, will);

    private sealed class Identity() : StoredSession("c");
}
