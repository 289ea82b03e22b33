using EdgeBroker.Configuration;
using EdgeBroker.Core.Hosting;
using EdgeBroker.Hosting;

namespace EdgeBroker.Tests.Hosting;

/// <summary>Parts start one after the other, change together or not at all, and stop phase by phase, the other way round.</summary>
public sealed class HostedPartsTests
{
    private static readonly BrokerConfiguration Next = BrokerConfiguration.Defaults(new NodeOptions { Name = "next", DataDirectory = "/d" });

    private readonly List<string> _done = [];

    [Fact]
    public async Task They_start_in_order_and_stop_and_end_in_reverse_phase_by_phase()
    {
        HostedParts parts = Parts(out _, out _);
        await parts.StartAsync(CancellationToken.None);
        await parts.StopAsync(TimeSpan.FromSeconds(3));
        await parts.DisposeAsync();
        Assert.Equal(
            [
                "a start", "b start", "b StopAccepting", "a StopAccepting", "b DisconnectClients", "a DisconnectClients", "b Finish", "a Finish", "b end",
                "a end",
            ], _done);
    }

    [Fact]
    public async Task One_that_has_not_started_is_not_stopped_but_ended()
    {
        HostedParts parts = Parts(out _, out Part second);
        second.Fails = true;
        await Assert.ThrowsAsync<PartException>(() => parts.StartAsync(CancellationToken.None));
        await parts.StopAsync(TimeSpan.FromSeconds(3));
        await parts.DisposeAsync();
        Assert.Equal(["a start", "a StopAccepting", "a DisconnectClients", "a Finish", "b end", "a end"], _done);
    }

    [Fact]
    public async Task Nothing_starts_any_more_once_an_end_is_asked_for()
    {
        using var stop = new CancellationTokenSource();
        HostedParts parts = Parts(out Part first, out _);
        first.Starting = stop.Cancel;
        await parts.StartAsync(stop.Token);
        Assert.Equal(["a start"], _done);
    }

    [Fact]
    public async Task A_change_is_prepared_by_all_before_it_is_applied_by_any()
    {
        HostedParts parts = Parts(out _, out _);
        var notes = new ChangeNotes();
        await using (IPreparedChange change = await parts.PrepareAsync(Next))
        {
            Assert.Equal(["a prepare next", "b prepare next"], _done);
            await change.ApplyAsync(notes);
        }

        Assert.Equal(["a", "b"], notes.Lines);
        Assert.DoesNotContain("a undo", _done);
    }

    [Fact]
    public async Task A_part_that_cannot_change_has_the_others_undo_what_they_have_prepared()
    {
        HostedParts parts = Parts(out _, out Part second);
        second.Fails = true;
        PartException failure = await Assert.ThrowsAsync<PartException>(() => parts.PrepareAsync(Next));
        Assert.Equal("b cannot", failure.Message);
        Assert.Equal(["a prepare next", "a undo"], _done);
    }

    [Fact]
    public async Task What_they_find_and_whom_they_disconnect_is_added_up()
    {
        HostedParts parts = Parts(out _, out _);
        Assert.Equal(["a", "b"], parts.Check().Select(finding => finding.Part));
        Assert.Equal(2, await parts.ReviewAsync());
    }

    private HostedParts Parts(out Part first, out Part second)
    {
        var parts = new HostedParts();
        first = new Part("a", _done);
        second = new Part("b", _done);
        parts.Add(first, c => c.Node.Name);
        parts.Add(second, c => c.Node.Name);
        return parts;
    }

    private sealed class Part(string name, List<string> done) : IBrokerPart<string>
    {
        public string Name => name;

        public bool Fails { get; set; }

        public Action Starting { get; set; } = () => { };

        public ValueTask StartAsync(CancellationToken cancel)
        {
            if (Fails) throw new PartException($"{name} cannot");
            Starting();
            return Did("start");
        }

        public ValueTask<IPreparedChange> PrepareAsync(string next)
        {
            if (Fails) throw new PartException($"{name} cannot");
            _ = Did("prepare " + next);
            return ValueTask.FromResult<IPreparedChange>(new Change(this));
        }

        public IEnumerable<HealthFinding> Findings() => [new HealthFinding(name, HealthState.Good, "it is well")];

        public ValueTask<int> ReviewAsync() => ValueTask.FromResult(1);

        public ValueTask StopAsync(StopPhase phase, TimeSpan limit) => Did(phase.ToString());

        public ValueTask DisposeAsync() => Did("end");

        private ValueTask Did(string what)
        {
            done.Add($"{name} {what}");
            return ValueTask.CompletedTask;
        }

        private sealed class Change(Part part) : IPreparedChange
        {
            private bool _isApplied;

            public ValueTask ApplyAsync(ChangeNotes notes)
            {
                _isApplied = true;
                notes.Add(part.Name);
                return ValueTask.CompletedTask;
            }

            public ValueTask DisposeAsync() => _isApplied ? ValueTask.CompletedTask : part.Did("undo");
        }
    }
}
