using EdgeBroker.Core.Limits;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Limits;

/// <summary>What the limits say to a client's operations, and that only what is carried out is charged.</summary>
public sealed class ClientRateLimitsTests
{
    private static readonly RateLimit TwoThenOneASecond = new(1, TimeSpan.FromSeconds(1), 2);

    private readonly ClientRateLimits _rates = new();
    private ActiveLimits _active = new(new LimitOptions { PublishesPerClient = TwoThenOneASecond }, MemoryStage.Normal);

    [Fact]
    public void To_evaluate_takes_nothing_and_to_charge_takes_once()
    {
        for (int i = 0; i < 10; i++) Assert.Equal(LimitDecision.Pass, Evaluate(0).Decision);
        Publish(0);
        Publish(0);
        Assert.Equal(new LimitVerdict(LimitDecision.Wait, LimitKind.PublishesPerClient, 1_000), Evaluate(0));
        Assert.Equal(new LimitVerdict(LimitDecision.Wait, LimitKind.PublishesPerClient, 1_000), Evaluate(999));
        Assert.Equal(LimitDecision.Pass, Evaluate(1_000).Decision);
    }

    [Fact]
    public void What_is_no_publish_is_not_counted_as_one()
    {
        for (int i = 0; i < 5; i++)
        {
            LimitVerdict verdict = _rates.Evaluate(_active, Operation.Other, QoS.AtMostOnce, refusalIsTold: true, 0);
            Assert.Equal(default, verdict);
            _rates.Charge(_active, Operation.Other, 1, verdict, 0);
        }

        Publish(0);
        Assert.Equal(LimitDecision.Pass, Evaluate(0).Decision);
    }

    [Theory]
    [InlineData(QoS.AtMostOnce, false, LimitDecision.Drop)]
    [InlineData(QoS.AtLeastOnce, false, LimitDecision.Wait)]
    [InlineData(QoS.AtLeastOnce, true, LimitDecision.Drop)]
    public void Only_what_can_be_told_or_has_no_promise_is_dropped(QoS qos, bool refusalIsTold, LimitDecision expected)
    {
        _active = _active with { Options = new LimitOptions { PublishesPerClient = TwoThenOneASecond with { OnExceed = ExceedAction.Drop } } };
        Publish(0);
        Publish(0);
        Assert.Equal(expected, _rates.Evaluate(_active, Operation.Publish, qos, refusalIsTold, 0).Decision);
    }

    [Fact]
    public void What_is_dropped_by_one_limit_does_not_use_up_that_limit()
    {
        _active = _active with { Options = new LimitOptions { PublishesPerClient = TwoThenOneASecond with { OnExceed = ExceedAction.Drop } } };
        Publish(0);
        Publish(0);
        LimitVerdict dropped = Evaluate(0);
        Assert.Equal(LimitDecision.Drop, dropped.Decision);
        _rates.Charge(_active, Operation.Publish, 100, dropped, 0);
        Assert.Equal(LimitDecision.Pass, Evaluate(1_000).Decision);
    }

    [Fact]
    public void Under_memory_pressure_a_publish_a_second_passes_and_QoS_0_last_not_at_all()
    {
        _active = new ActiveLimits(new LimitOptions(), MemoryStage.Pausing);
        Assert.Equal(new LimitVerdict(LimitDecision.Wait, LimitKind.MaxMemory, 1_500), Evaluate(500));
        Assert.Equal(new LimitVerdict(LimitDecision.Wait, LimitKind.MaxMemory, 1_500), Evaluate(1_499));
        // Held by something else after its second, it need not wait another one.
        Assert.Equal(LimitDecision.Pass, Evaluate(1_500).Decision);
        Assert.Equal(LimitDecision.Pass, Evaluate(1_600).Decision);
        Publish(1_600);
        Assert.Equal(new LimitVerdict(LimitDecision.Wait, LimitKind.MaxMemory, 2_700), Evaluate(1_700));
        Assert.Equal(LimitDecision.Pass, _rates.Evaluate(_active, Operation.Other, QoS.AtMostOnce, refusalIsTold: true, 1_700).Decision);
        _active = _active with { Memory = MemoryStage.Dropping };
        Assert.Equal(LimitDecision.Drop, _rates.Evaluate(_active, Operation.Publish, QoS.AtMostOnce, refusalIsTold: false, 1_700).Decision);
    }

    [Fact]
    public void Other_limits_begin_with_nothing_used()
    {
        Publish(0);
        Publish(0);
        Assert.Equal(LimitDecision.Wait, Evaluate(0).Decision);
        _active = _active with { Options = _active.Options with { MaxConnections = 5 } };
        Assert.Equal(LimitDecision.Pass, Evaluate(0).Decision);
    }

    [Fact]
    public void Whoever_is_let_on_late_has_its_due()
    {
        Publish(0);
        Publish(0);
        Assert.Equal(1_000, Evaluate(0).WaitUntilMs);
        _rates.NoteResumed(200);
        Publish(1_200);
        Assert.Equal(2_000, Evaluate(1_200).WaitUntilMs);
    }

    private LimitVerdict Evaluate(long nowMs) => _rates.Evaluate(_active, Operation.Publish, QoS.AtLeastOnce, refusalIsTold: true, nowMs);

    private void Publish(long nowMs)
    {
        LimitVerdict verdict = Evaluate(nowMs);
        Assert.Equal(LimitDecision.Pass, verdict.Decision);
        _rates.Charge(_active, Operation.Publish, 1, verdict, nowMs);
    }
}
