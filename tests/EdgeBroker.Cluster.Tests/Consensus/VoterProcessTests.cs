using System.Globalization;

namespace EdgeBroker.Cluster.Tests.Consensus;

/// <summary>Voters that are killed, frozen and all lose power: what was acknowledged is there afterwards.</summary>
public sealed class VoterProcessTests
{
    [Fact]
    public async Task A_leader_killed_in_mid_work_is_followed_by_another_and_nothing_acknowledged_is_lost()
    {
        await using VoterProcesses voters = await VoterProcesses.BeginAsync();
        var acknowledged = new List<string>();
        for (int round = 0; round < 3; round++)
        {
            byte leader = await voters.LeaderAsync(1, 2, 3);
            string prefix = $"round-{round}";
            voters[leader].Say($"burst {prefix} 200");
            for (int i = 0; i < 20; i++)
            {
                string line = await voters[leader].TakeLineAsync(line => line.StartsWith($"applied {prefix}", StringComparison.Ordinal));
                acknowledged.Add(line.Split(' ')[1]);
            }

            voters.Kill(leader);
            byte next = await voters.LeaderAsync([.. voters.Running]);
            string after = await voters.AskAsync(next, $"propose after-{round}", $"applied after-{round}");
            long index = long.Parse(after.Split(' ')[3], CultureInfo.InvariantCulture);
            await voters.StartAsync(leader);
            await voters.AppliedAsync(leader, index);
            acknowledged.Add($"after-{round}");
        }

        await AllHaveAsync(voters, acknowledged);
    }

    [Fact]
    public async Task What_a_killed_leader_had_acknowledged_the_others_have()
    {
        await using VoterProcesses voters = await VoterProcesses.BeginAsync();
        byte leader = await voters.LeaderAsync(1, 2, 3);
        voters[leader].Say("burst work 300");
        var acknowledged = new List<string>();
        for (int i = 0; i < 50; i++)
        {
            string line = await voters[leader].TakeLineAsync(line => line.StartsWith("applied work", StringComparison.Ordinal));
            acknowledged.Add(line.Split(' ')[1]);
        }

        voters.Kill(leader);
        byte next = await voters.LeaderAsync([.. voters.Running]);
        // The first entry of its own term: all before it are applied when it is.
        await voters.AskAsync(next, "propose last", "applied last");
        Assert.Equal(50, acknowledged.Count);
        foreach (string name in acknowledged) Assert.Equal($"has {name} yes", await voters.AskAsync(next, $"has {name}", "has "));
    }

    [Fact]
    public async Task All_killed_at_once_start_again_with_all_that_was_acknowledged()
    {
        await using VoterProcesses voters = await VoterProcesses.BeginAsync();
        byte leader = await voters.LeaderAsync(1, 2, 3);
        voters[leader].Say("burst work 250");
        var acknowledged = new List<string>();
        for (int i = 0; i < 220; i++)
        {
            string line = await voters[leader].TakeLineAsync(line => line.StartsWith("applied work", StringComparison.Ordinal));
            acknowledged.Add(line.Split(' ')[1]);
        }

        foreach (byte node in voters.Running) voters.Kill(node);
        for (byte node = 1; node <= 3; node++) await voters.StartAsync(node);
        leader = await voters.LeaderAsync(1, 2, 3);
        string last = await voters.AskAsync(leader, "propose last", "applied last");
        for (byte node = 1; node <= 3; node++) await voters.AppliedAsync(node, long.Parse(last.Split(' ')[3], CultureInfo.InvariantCulture));
        await AllHaveAsync(voters, acknowledged);
    }

    [Fact]
    public async Task A_leader_that_was_frozen_finds_another_one_and_follows_it()
    {
        await using VoterProcesses voters = await VoterProcesses.BeginAsync();
        byte frozen = await voters.LeaderAsync(1, 2, 3);
        voters.Freeze(frozen, isFrozen: true);
        byte[] others = [.. voters.Running.Where(node => node != frozen)];
        byte next = await voters.LeaderAsync(others);
        string meanwhile = await voters.AskAsync(next, "propose meanwhile", "applied meanwhile");
        voters.Freeze(frozen, isFrozen: false);
        await voters.AppliedAsync(frozen, long.Parse(meanwhile.Split(' ')[3], CultureInfo.InvariantCulture));
        Assert.Equal("has meanwhile yes", await voters.AskAsync(frozen, "has meanwhile", "has "));
        await voters.LeaderAsync(1, 2, 3);
    }

    private static async Task AllHaveAsync(VoterProcesses voters, List<string> names)
    {
        foreach (byte node in voters.Running)
        {
            foreach (string name in names) Assert.Equal($"has {name} yes", await voters.AskAsync(node, $"has {name}", "has "));
        }
    }
}
