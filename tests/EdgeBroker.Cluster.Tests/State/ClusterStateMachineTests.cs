using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Tests.State;

/// <summary>What each command does, case by case.</summary>
public sealed class ClusterStateMachineTests
{
    private readonly ClusterStateMachine _machine = new();

    [Fact]
    public void A_start_says_what_the_node_was_before()
    {
        Assert.Equal(FormerState.None, _machine.Apply(Commands.Up(1)).Former);
        Assert.Equal(FormerState.Up, _machine.Apply(Commands.Up(1, incarnation: 2)).Former);
        Assert.Equal(CommandOutcome.Done, _machine.Apply(new NodeDown(1, 2)).Outcome);
        Assert.Equal(MemberState.Down, _machine.View.Find(1)!.State);
        Assert.Equal(FormerState.Down, _machine.Apply(Commands.Up(1, incarnation: 3)).Former);
        Assert.True(_machine.View.IsUp(1, 3));
        Assert.False(_machine.View.IsUp(1, 2));
        Assert.Equal(4, _machine.View.Index);
    }

    [Fact]
    public void An_old_start_and_an_old_death_change_nothing()
    {
        _machine.Apply(Commands.Up(1, incarnation: 5));
        Assert.Equal(CommandOutcome.StaleIncarnation, _machine.Apply(Commands.Up(1, incarnation: 4)).Outcome);
        Assert.Equal(CommandOutcome.StaleIncarnation, _machine.Apply(Commands.Up(1, incarnation: 5, store: 99)).Outcome);
        Assert.Equal(CommandOutcome.StaleIncarnation, _machine.Apply(new NodeDown(1, 4)).Outcome);
        Assert.Equal(CommandOutcome.UnknownNode, _machine.Apply(new NodeDown(2, 1)).Outcome);
        Assert.Equal(CommandOutcome.Done, _machine.Apply(new NodeDown(1, 5)).Outcome);
        Assert.Equal(CommandOutcome.NoChange, _machine.Apply(new NodeDown(1, 5)).Outcome);
    }

    [Fact]
    public void A_node_that_is_replaced_comes_back_with_another_store_and_its_certificate()
    {
        _machine.Apply(Commands.Up(1));
        _machine.Apply(new NodeLeft(1, IsReplaced: true));
        Assert.Equal(CommandOutcome.Removed, _machine.Apply(Commands.Up(1, incarnation: 2)).Outcome);
        Assert.Equal(CommandOutcome.Done, _machine.Apply(Commands.Up(1, incarnation: 2, store: 50)).Outcome);
    }

    [Fact]
    public void A_node_without_a_certificate_leaves_none_that_is_refused()
    {
        _machine.Apply(Commands.Up(1) with { Fingerprint = NodeUp.NoCertificate });
        _machine.Apply(new NodeLeft(1));
        Assert.Equal(CommandOutcome.Done, _machine.Apply(Commands.Up(2) with { Fingerprint = NodeUp.NoCertificate }).Outcome);
    }

    [Fact]
    public void A_start_that_was_found_dead_does_not_come_up_again()
    {
        _machine.Apply(Commands.Up(1));
        _machine.Apply(new NodeDown(1, 1));
        Assert.Equal(CommandOutcome.StaleIncarnation, _machine.Apply(Commands.Up(1)).Outcome);
        Assert.Equal(CommandOutcome.Done, _machine.Apply(Commands.Up(1, incarnation: 2)).Outcome);
    }

    [Fact]
    public void The_lowest_node_that_serves_clients_publishes_a_dead_node_s_wills_until_it_is_gone_itself()
    {
        // Node 3 is a witness.
        foreach (byte node in new byte[] { 1, 2, 3, 4 }) _machine.Apply(Commands.Up(node));
        _machine.Apply(new NodeDown(1, 1));
        Assert.Equal((1, 2), WillsOf(1));
        // What it has of others' wills ends with it, and with each of its starts.
        _machine.Apply(Commands.Up(2, incarnation: 2));
        Assert.Equal((1, 4), WillsOf(1));
        _machine.Apply(Commands.Up(1, incarnation: 2));
        Assert.Equal((1, 4), WillsOf(1));
        _machine.Apply(new NodeLeft(4));
        Assert.Equal((1, 2), WillsOf(1));
        Assert.Equal((1, 1), WillsOf(4));
        _machine.Apply(new NodeDown(2, 2));
        Assert.Equal((1, 0), WillsOf(1));
    }

    [Fact]
    public void A_node_that_is_removed_after_its_death_does_not_die_again()
    {
        foreach (byte node in new byte[] { 1, 2, 4 }) _machine.Apply(Commands.Up(node));
        _machine.Apply(new NodeDown(4, 1));
        Assert.Equal((1, 1), WillsOf(4));
        _machine.Apply(Commands.Up(1, incarnation: 2));
        Assert.Equal((1, 2), WillsOf(4));
        _machine.Apply(new NodeLeft(4));
        Assert.Equal((1, 2), WillsOf(4));
    }

    [Fact]
    public void A_node_that_left_comes_back_only_with_another_store_and_another_certificate()
    {
        _machine.Apply(Commands.Up(1, incarnation: 3));
        Assert.Equal(CommandOutcome.Done, _machine.Apply(new NodeLeft(1)).Outcome);
        Assert.Equal(CommandOutcome.NoChange, _machine.Apply(new NodeLeft(1)).Outcome);
        Assert.Null(_machine.View.Find(1));
        Assert.Equal(CommandOutcome.UnknownNode, _machine.Apply(new NodeDown(1, 3)).Outcome);
        Assert.Equal(CommandOutcome.Removed, _machine.Apply(Commands.Up(1, incarnation: 4)).Outcome);
        Assert.Equal(CommandOutcome.Removed, _machine.Apply(Commands.Up(1, incarnation: 4, certificate: 50)).Outcome);
        Assert.Equal(CommandOutcome.Removed, _machine.Apply(Commands.Up(1, incarnation: 4, store: 50)).Outcome);
        Assert.Equal(CommandOutcome.Removed, _machine.Apply(Commands.Up(2) with { Fingerprint = Commands.Fingerprint(1) }).Outcome);
        Assert.Equal(FormerState.Left, _machine.Apply(Commands.Up(1, incarnation: 4, store: 50, certificate: 50)).Former);
        Assert.True(_machine.View.IsUp(1, 4));
        Assert.Equal(CommandOutcome.UnknownNode, _machine.Apply(new NodeLeft(7)).Outcome);
    }

    [Fact]
    public void A_dead_node_s_session_goes_to_the_first_that_claims_it()
    {
        Three();
        _machine.Apply(new NodeDown(2, 1));
        Applied first = _machine.Apply(Commands.Claim(1, 1, 2, 1, Commands.Session("press7", stamp: 10), Commands.Session("press8", stamp: 11)));
        Assert.Equal(CommandOutcome.Done, first.Outcome);
        Assert.Equal([new ClaimAnswer(true, 1, first.Index), new ClaimAnswer(true, 1, first.Index)], first.Claims.ToArray());
        Applied second = _machine.Apply(Commands.Claim(3, 1, 2, 1, Commands.Session("press7", stamp: 12), Commands.Session("press9", stamp: 13)));
        Assert.Equal([new ClaimAnswer(false, 1, first.Index), new ClaimAnswer(true, 3, second.Index)], second.Claims.ToArray());
        // With the grant it lost to in its hand it may claim again.
        Applied third = _machine.Apply(Commands.Claim(3, 1, 2, 1, Commands.Session("press7", known: first.Index, stamp: 14)));
        Assert.Equal([new ClaimAnswer(true, 3, third.Index)], third.Claims.ToArray());
        Assert.Equal(new Claim(3, third.Index, 2, 14, false), _machine.Claims.Find("press7"));
    }

    [Fact]
    public void A_claim_made_again_gets_the_same_answer()
    {
        Three();
        _machine.Apply(new NodeDown(2, 1));
        ClaimSessions claim = Commands.Claim(1, 1, 2, 1, Commands.Session("press7", stamp: 10, isClean: true));
        Applied first = _machine.Apply(claim);
        Applied again = _machine.Apply(claim);
        Assert.Equal(first.Claims.ToArray(), again.Claims.ToArray());
        Assert.Equal(first.Index, _machine.View.LastGrant);
        Assert.True(_machine.Claims.Find("press7")!.Value.IsClean);
    }

    [Fact]
    public void Claims_of_old_incarnations_over_old_incarnations_and_over_the_living_are_refused_whole()
    {
        Three();
        SessionToClaim one = Commands.Session("press7");
        Assert.Equal(CommandOutcome.NodeIsUp, _machine.Apply(Commands.Claim(1, 1, 2, 1, one)).Outcome);
        Assert.Equal(CommandOutcome.StaleIncarnation, _machine.Apply(Commands.Claim(1, 9, 2, 1, one)).Outcome);
        Assert.Equal(CommandOutcome.StaleIncarnation, _machine.Apply(Commands.Claim(1, 1, 2, 9, one)).Outcome);
        Assert.Equal(CommandOutcome.UnknownNode, _machine.Apply(Commands.Claim(1, 1, 5, 1, one)).Outcome);
        Assert.Equal(CommandOutcome.UnknownNode, _machine.Apply(Commands.Claim(5, 1, 1, 1, one)).Outcome);
        Assert.Equal(0, _machine.Claims.Count);
        Assert.Equal(CommandOutcome.Done, _machine.Apply(new ClaimSessions(1, 1, 2, 1, true, [one])).Outcome);
        _machine.Apply(new NodeDown(1, 1));
        Assert.Equal(CommandOutcome.StaleIncarnation, _machine.Apply(new ClaimSessions(1, 1, 2, 1, true, [Commands.Session("other")])).Outcome);
        _machine.Apply(new NodeLeft(2));
        Assert.Equal(CommandOutcome.UnknownNode, _machine.Apply(Commands.Claim(3, 1, 2, 1, one)).Outcome);
    }

    [Fact]
    public void Claims_go_when_their_node_settles_them_gets_another_store_or_leaves()
    {
        Three();
        _machine.Apply(new NodeDown(2, 1));
        Applied early = _machine.Apply(Commands.Claim(1, 1, 2, 1, Commands.Session("early")));
        _machine.Apply(Commands.Claim(1, 1, 2, 1, Commands.Session("late")));
        _machine.Apply(Commands.Up(2, incarnation: 2));
        Assert.Equal(2, _machine.Claims.Over(2).Count);
        _machine.Apply(Commands.Up(2, incarnation: 2, settledThrough: early.Index));
        Assert.Equal(["late"], _machine.Claims.Over(2).Select(one => one.Key));
        _machine.Apply(Commands.Up(2, incarnation: 3, store: 60));
        Assert.Equal(0, _machine.Claims.Count);
        _machine.Apply(new NodeDown(2, 3));
        _machine.Apply(Commands.Claim(1, 1, 2, 3, Commands.Session("again")));
        _machine.Apply(new NodeLeft(2));
        Assert.Equal(0, _machine.Claims.Count);
    }

    [Fact]
    public void Grants_go_on_above_what_a_node_has_on_its_disk()
    {
        Three();
        Assert.Equal(CommandOutcome.GrantTooFar, _machine.Apply(Commands.Up(2, incarnation: 2, highestGrant: (1L << 40) + 100)).Outcome);
        Assert.Equal(CommandOutcome.Done, _machine.Apply(Commands.Up(2, incarnation: 2, highestGrant: 1_000_000)).Outcome);
        _machine.Apply(new NodeDown(2, 2));
        Assert.Equal(1_000_001, _machine.Apply(Commands.Claim(1, 1, 2, 2, Commands.Session("press7"))).Claims[0].Grant);
        Assert.Equal(1_000_002, _machine.Apply(new TakeLease("bridge/cloud", 1, 1, 0)).Grant);
    }

    [Fact]
    public void A_lease_is_one_node_s_until_it_gives_it_back_or_is_gone()
    {
        Three();
        Applied taken = _machine.Apply(new TakeLease("bridge/cloud", 1, 1, 0));
        Assert.Equal(CommandOutcome.Done, taken.Outcome);
        Applied again = _machine.Apply(new TakeLease("bridge/cloud", 1, 1, 0));
        Assert.Equal((CommandOutcome.NoChange, taken.Grant), (again.Outcome, again.Grant));
        Assert.Equal(CommandOutcome.Held, _machine.Apply(new TakeLease("bridge/cloud", 3, 1, 0)).Outcome);
        Assert.Equal(CommandOutcome.StaleIncarnation, _machine.Apply(new TakeLease("bridge/cloud", 3, 2, 0)).Outcome);
        _machine.Apply(new NodeDown(1, 1));
        Applied second = _machine.Apply(new TakeLease("bridge/cloud", 3, 1, 0));
        Assert.Equal(CommandOutcome.Done, second.Outcome);
        Assert.True(second.Grant > taken.Grant);
        // The former holder gives back what it has no more.
        Assert.Equal(CommandOutcome.NoChange, _machine.Apply(new TakeLease("bridge/cloud", 0, 0, taken.Grant)).Outcome);
        Assert.Equal(CommandOutcome.Done, _machine.Apply(new TakeLease("bridge/cloud", 0, 0, second.Grant)).Outcome);
        _machine.Apply(Commands.Up(1, incarnation: 2));
        Assert.Equal(CommandOutcome.Done, _machine.Apply(new TakeLease("bridge/cloud", 1, 2, 0)).Outcome);
        // A new incarnation has not what the old one had.
        _machine.Apply(Commands.Up(1, incarnation: 3));
        Assert.Equal(CommandOutcome.Done, _machine.Apply(new TakeLease("bridge/cloud", 2, 1, 0)).Outcome);
        _machine.Apply(new NodeLeft(2));
        Assert.Empty(_machine.View.Leases);
    }

    [Fact]
    public void There_is_an_end_to_leases()
    {
        Three();
        for (int i = 0; i < 1024; i++) Assert.Equal(CommandOutcome.Done, _machine.Apply(new TakeLease($"bridge/{i}", 1, 1, 0)).Outcome);
        Assert.Equal(CommandOutcome.Full, _machine.Apply(new TakeLease("bridge/more", 1, 1, 0)).Outcome);
    }

    [Fact]
    public void The_level_rises_when_all_speak_it_and_nobody_joins_below_it()
    {
        _machine.Apply(Commands.Up(1, wireMax: 2));
        _machine.Apply(Commands.Up(2, wireMax: 1));
        Assert.Equal(CommandOutcome.VersionNotSpoken, _machine.Apply(new RaiseLevel(2)).Outcome);
        _machine.Apply(new NodeLeft(2));
        Assert.Equal(CommandOutcome.Done, _machine.Apply(new RaiseLevel(2)).Outcome);
        Assert.Equal(CommandOutcome.NoChange, _machine.Apply(new RaiseLevel(1)).Outcome);
        Assert.Equal(CommandOutcome.VersionNotSpoken, _machine.Apply(Commands.Up(3, wireMax: 1)).Outcome);
        Assert.Equal(2, _machine.View.Level);
    }

    [Fact]
    public void Bytes_that_are_no_command_are_an_entry_without_effect()
    {
        Assert.Equal(CommandOutcome.Malformed, _machine.Apply(1, [1, 2, 3]).Outcome);
        Assert.Equal(ClusterView.Empty with { Index = 1 }, _machine.View);
    }

    private (int Dead, int By) WillsOf(byte node) => ((int)_machine.View.Members[node].DeadIncarnation, _machine.View.Members[node].WillsBy);

    private void Three()
    {
        _machine.Apply(Commands.Up(1));
        _machine.Apply(Commands.Up(2));
        _machine.Apply(Commands.Up(3));
    }
}
