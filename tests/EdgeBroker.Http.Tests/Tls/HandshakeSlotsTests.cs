using System.Net;
using EdgeBroker.Transport.Tls;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Http.Tests.Tls;

/// <summary>Who keeps a slot, and who gives it up.</summary>
public sealed class HandshakeSlotsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly HandshakeSlots _slots;
    private readonly List<string> _givenUp = [];

    public HandshakeSlotsTests() => _slots = new HandshakeSlots(_time);

    [Fact]
    public void One_address_that_has_them_all_gives_its_oldest_up_to_others()
    {
        for (int i = 0; i < 4; i++) Enter($"a{i}", "192.0.2.1");
        Assert.NotNull(Enter("b", "192.0.2.2"));
        Assert.Equal(["a0"], _givenUp);
        Assert.Equal(4, _slots.Count);
        // Two of each are the end of it.
        Assert.NotNull(Enter("b2", "192.0.2.2"));
        Assert.Null(Enter("b3", "192.0.2.2"));
        Assert.Equal(["a0", "a1"], _givenUp);
    }

    [Fact]
    public void Among_equals_only_one_that_keeps_us_waiting_goes()
    {
        for (int i = 0; i < 4; i++) Enter($"a{i}", $"192.0.2.{i}");
        Assert.Null(Enter("b", "192.0.2.9"));
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.NotNull(Enter("b", "192.0.2.9"));
        Assert.Equal(["a0"], _givenUp);
    }

    [Fact]
    public void What_is_computed_is_not_given_up()
    {
        HandshakeSlots.Slot[] slots = [.. Enumerable.Range(0, 4).Select(i => Enter($"a{i}", "192.0.2.1")!)];
        foreach (HandshakeSlots.Slot slot in slots) slot.IsWaiting = false;
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Null(Enter("b", "192.0.2.2"));
        slots[2].IsWaiting = true;
        Assert.NotNull(Enter("b", "192.0.2.2"));
        Assert.Equal(["a2"], _givenUp);
    }

    [Fact]
    public void A_slot_that_is_given_back_is_free_once()
    {
        HandshakeSlots.Slot first = Enter("a", "192.0.2.1", limit: 1)!;
        first.Dispose();
        first.Dispose();
        Assert.Equal(0, _slots.Count);
        Assert.NotNull(Enter("b", "192.0.2.1", limit: 1));
        Assert.Empty(_givenUp);
    }

    [Fact]
    public void A_network_of_version_6_is_one_address()
    {
        for (int i = 0; i < 4; i++) Enter($"a{i}", $"2001:db8::{i + 1}");
        Assert.NotNull(Enter("b", "2001:db8:0:1::1"));
        Assert.Equal(["a0"], _givenUp);
        Assert.NotNull(Enter("c", "::ffff:192.0.2.1"));
        Assert.Equal(["a0", "a1"], _givenUp);
    }

    private HandshakeSlots.Slot? Enter(string name, string address, int limit = 4)
    {
        HandshakeSlots.Slot? slot = _slots.TryEnter(IPAddress.Parse(address), limit, () => _givenUp.Add(name));
        if (slot is not null) slot.IsWaiting = true;
        return slot;
    }
}
