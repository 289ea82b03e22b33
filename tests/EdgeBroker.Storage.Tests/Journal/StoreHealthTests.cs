using EdgeBroker.Core.Ports;
using EdgeBroker.Storage.Journal;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Storage.Tests.Journal;

/// <summary>What failures and sizes make of the store, and what the log says of it.</summary>
public sealed class StoreHealthTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RecordedLog _log = new();
    private readonly List<string> _damages = [];
    private readonly StoreHealth _health;

    public StoreHealthTests() => _health = new StoreHealth("edgebroker.db", 1000, 80, _time, _log, _damages.Add);

    [Fact]
    public void It_fails_after_two_seconds_of_failures_and_recovers_with_the_first_success()
    {
        _health.RecordFailure(new SqliteException("disk I/O error", 10, 10));
        _log.AssertSaid(7100);
        Assert.Equal(JournalCondition.Ready, _health.Condition);
        _time.Advance(TimeSpan.FromSeconds(1.9));
        _health.RecordFailure(new SqliteException("disk I/O error", 10, 10));
        Assert.Equal(JournalCondition.Ready, _health.Condition);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        _health.RecordFailure(new SqliteException("disk I/O error", 10, 10));
        Assert.Equal(JournalCondition.Failing, _health.Condition);
        _health.RecordSuccess();
        Assert.Equal(JournalCondition.Ready, _health.Condition);
        _log.AssertSaid(7101);
    }

    [Fact]
    public void A_success_between_failures_begins_the_time_anew()
    {
        for (int i = 0; i < 5; i++)
        {
            _health.RecordFailure(new SqliteException("disk I/O error", 10, 10));
            _time.Advance(TimeSpan.FromSeconds(1));
            _health.RecordSuccess();
        }

        Assert.Equal(JournalCondition.Ready, _health.Condition);
    }

    [Fact]
    public void It_is_full_at_its_limit_until_some_room_is_made()
    {
        foreach ((long bytes, bool isFull) in ((long, bool)[])[(999, false), (1000, true), (990, true), (970, true), (969, false), (999, false)])
        {
            _health.RecordSize(bytes);
            Assert.Equal(isFull ? JournalCondition.Full : JournalCondition.Ready, _health.Condition);
        }

        _log.AssertSaid(7103);
        _log.AssertSaid(7104);
    }

    [Fact]
    public void It_is_full_while_the_disk_has_less_than_what_is_kept_for_deleting()
    {
        foreach ((long bytes, bool isFull) in ((long, bool)[])[(81, false), (80, false), (79, true), (89, true), (90, false), (80, false)])
        {
            _health.RecordFree(bytes);
            Assert.Equal((isFull, isFull ? JournalCondition.Full : JournalCondition.Ready), (_health.IsDiskFull, _health.Condition));
            Assert.Equal(isFull, _health.IsTight(1));
        }

        _log.AssertSaid(7109);
        _log.AssertSaid(7104);
    }

    [Fact]
    public void Damage_is_told_once_and_no_success_undoes_it()
    {
        _health.RecordFailure(new SqliteException("database disk image is malformed", 11, 11));
        _health.RecordDamage("again");
        Assert.Single(_damages);
        Assert.True(_health.IsDamaged);
        _health.RecordFailure(new SqliteException("disk I/O error", 10, 10));
        _health.RecordSuccess();
        Assert.Equal(JournalCondition.Failing, _health.Condition);
    }
}
