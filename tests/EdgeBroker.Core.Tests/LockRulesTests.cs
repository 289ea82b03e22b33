// The calls below are left out of an assembly without it. What the libraries do is up to how they are built themselves.
#define CHECKED

namespace EdgeBroker.Core.Tests;

/// <summary>The libraries as tests build them find whoever breaks the rule about locks.</summary>
public sealed class LockRulesTests
{
    private readonly Lock _one = new();
    private readonly Lock _other = new();

    [Fact]
    public void A_second_lock_is_found()
    {
        lock (_one.Alone())
        {
            AssertBroken(() => TakeAlone(_other));
            AssertBroken(() => TakeAlone(_other));
        }

        lock (_other.Alone())
        {
            AssertBroken(() => TakeAlone(_one));
        }
    }

    [Fact]
    public void The_same_lock_may_be_taken_again_and_another_when_it_is_free()
    {
        lock (_one.Alone())
        {
            lock (_one.Alone()) _one.MustBeHeld();
            AssertBroken(() => TakeAlone(_other));
        }

        lock (_other.Alone()) _other.MustBeHeld();
        LockRules.MustHoldNone();
    }

    [Fact]
    public void A_leaf_goes_under_another_lock_and_nothing_under_a_leaf()
    {
        lock (_one.Alone())
        {
            lock (_other.Leaf())
            {
                AssertBroken(() => TakeLeaf(new Lock()));
                AssertBroken(() => TakeAlone(new Lock()));
            }
        }
    }

    [Fact]
    public void Who_calls_out_under_a_lock_is_found()
    {
        LockRules.MustHoldNone();
        lock (_one.Alone()) AssertBroken(() => LockRules.MustHoldNone());
        lock (_one.Leaf()) AssertBroken(() => LockRules.MustHoldNone());
        LockRules.MustHoldNone();
    }

    [Fact]
    public void Who_calls_without_the_lock_is_found_also_when_another_thread_has_it()
    {
        AssertBroken(() => _one.MustBeHeld());
        lock (_one.Alone())
        {
            _one.MustBeHeld();
            var thread = new Thread(() => AssertBroken(() => _one.MustBeHeld()));
            thread.Start();
            thread.Join();
        }
    }

    private static void AssertBroken(Action action) =>
        Assert.StartsWith("Lock rule:", Assert.Throws<InvalidOperationException>(action).Message, StringComparison.Ordinal);

    private static void TakeAlone(Lock one)
    {
        lock (one.Alone()) one.MustBeHeld();
    }

    private static void TakeLeaf(Lock one)
    {
        lock (one.Leaf()) one.MustBeHeld();
    }
}
