using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Cluster.Consensus;
using EdgeBroker.Cluster.State;
using EdgeBroker.Cluster.Tests.State;
using EdgeBroker.Testing;

namespace EdgeBroker.Cluster.Tests.Consensus;

/// <summary>Three real voters over the loopback, with certificates.</summary>
public sealed class RaftConsensusTests : ConsensusContract
{
    private protected override async Task<IVoters> BeginAsync() => await RaftVoters.BeginAsync();

    [Fact]
    public async Task A_member_with_an_empty_disk_gets_the_state_as_a_snapshot_and_goes_on()
    {
        await using RaftVoters voters = await RaftVoters.BeginAsync(settings => settings with { SnapshotEvery = 20 });
        byte leader = await LeaderAsync(voters);
        byte away = voters.Running.First(node => node != leader);
        for (int i = 1; i <= 10; i++) await ProposeAsync(voters, leader, Commands.Up(1, incarnation: i));
        await voters.StopAsync(away);
        for (int i = 11; i <= 90; i++) await ProposeAsync(voters, leader, Commands.Up(1, incarnation: i));
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(voters.FolderOf(leader), "snapshots"), "*.snapshot"));
        await voters.StartAsync(away);
        await voters.UntilAsync(() => voters[away].View.IsUp(1, 90), "the member to catch up");
        // From a disk that is gone nothing has been promised that another voter could miss: it is removed, and added again.
        await voters.StopAsync(away);
        leader = voters[voters.Running.First()].Leader ?? await LeaderOfTwoAsync(voters);
        Assert.True(await Deadline.Within(voters[leader].RemoveAsync(away, CancellationToken.None), "the member to be removed"));
        await voters.UntilAsync(() => voters.Running.All(node => !voters[node].Members.Contains(away)), "all to know that it is removed");
        Directory.Delete(voters.FolderOf(away), recursive: true);
        await voters.StartAsync(away);
        await voters.AddAsync(away);
        await voters.UntilAsync(() => voters[away].View.IsUp(1, 90), "the new member to catch up");
        Assert.Contains(voters.Told(away), line => line.EndsWith("snapshot", StringComparison.Ordinal));
        Assert.Equal(voters[leader].View.Members, voters[away].View.Members);
        await ProposeAsync(voters, away, Commands.Up(2));
    }

    [Fact]
    public async Task All_members_restart_from_their_disks_and_have_lost_nothing()
    {
        await using RaftVoters voters = await RaftVoters.BeginAsync(settings => settings with { SnapshotEvery = 10 });
        for (int i = 1; i <= 45; i++) await ProposeAsync(voters, 1, Commands.Up(1, incarnation: i));
        foreach (byte node in new byte[] { 1, 2, 3 }) await voters.StopAsync(node);
        foreach (byte node in new byte[] { 1, 2, 3 }) await voters.StartAsync(node);
        await ProposeAsync(voters, 2, Commands.Up(2));
        await voters.UntilAsync(() => voters.Running.All(node => voters[node].View.IsUp(1, 45) && voters[node].View.IsUp(2, 1)), "all to have it all");
    }

    [Fact]
    public async Task A_second_cluster_is_not_begun_over_a_first_and_another_generation_is_refused()
    {
        await using RaftVoters voters = await RaftVoters.BeginAsync();
        await voters.StopAsync(1);
        InvalidOperationException begun = await Assert.ThrowsAsync<InvalidOperationException>(() => voters.StartAsync(1, isFirst: true));
        Assert.Contains("already", begun.Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(voters.FolderOf(1), "generation"), "0");
        InvalidDataException other = await Assert.ThrowsAsync<InvalidDataException>(() => voters.StartAsync(1));
        Assert.Contains("generation 0", other.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_member_whose_snapshot_is_damaged_does_not_start_and_says_what_to_do()
    {
        await using RaftVoters voters = await RaftVoters.BeginAsync(settings => settings with { SnapshotEvery = 5 });
        for (int i = 1; i <= 30; i++) await ProposeAsync(voters, 1, Commands.Up(1, incarnation: i));
        await voters.StopAsync(3);
        string[] files = Directory.GetFiles(Path.Combine(voters.FolderOf(3), "snapshots"), "*.snapshot");
        Assert.NotEmpty(files);
        foreach (string path in files)
        {
            byte[] bytes = await File.ReadAllBytesAsync(path);
            bytes[^1] ^= 1;
            await File.WriteAllBytesAsync(path, bytes);
        }

        DamagedSnapshotException damaged = await Assert.ThrowsAsync<DamagedSnapshotException>(() => voters.StartAsync(3));
        Assert.Contains("let it join again", damaged.Message, StringComparison.Ordinal);
        await ProposeAsync(voters, 1, Commands.Up(2));
    }

    private static readonly string[] Strangers =
    [
        "plain bytes", "no certificate", "another authority", "another cluster", "no node", "a node that may not vote", "expired", "not for clients",
    ];

    [Fact]
    public async Task A_stranger_gets_nothing_on_the_Raft_port()
    {
        await using RaftVoters voters = await RaftVoters.BeginAsync();
        foreach (string stranger in Strangers) await TryStrangerAsync(voters, stranger);
    }

    private static async Task TryStrangerAsync(RaftVoters voters, string stranger)
    {
        using var foreign = new TestAuthority();
        X509Certificate2? shown = stranger switch
        {
            "another authority" => foreign.Node(2),
            "another cluster" => voters.Authority.Node(2, "elsewhere"),
            "no node" => voters.Authority.Issue("urn:edgebroker:client:press7"),
            "a node that may not vote" => voters.Authority.Node(5),
            "expired" => voters.Authority.Issue("urn:edgebroker:plant:2", isOver: true),
            "not for clients" => voters.Authority.Issue("urn:edgebroker:plant:2", ["1.3.6.1.5.5.7.3.1"]),
            _ => null,
        };
        int refused = voters.Log.Count("refused on the Raft port");
        for (byte node = 1; node <= 3; node++) Assert.Equal(0, await TalkAsync(voters, node, shown, isTls: stranger != "plain bytes"));
        if (shown is not null) await voters.UntilAsync(() => voters.Log.Count("refused on the Raft port") >= refused + 3, $"{stranger} to be refused");
        // And the members go on as if nothing had been.
        await ProposeAsync(voters, 1, Commands.Up(1));
    }

    /// <summary>A voter's own certificate opens the port; what comes then may still be anything.</summary>
    [Fact]
    public async Task Hostile_bytes_of_a_voter_close_its_connection_and_nothing_else()
    {
        await using RaftVoters voters = await RaftVoters.BeginAsync();
        byte leader = await LeaderAsync(voters);
        var random = new Random(5);
        using X509Certificate2 own = voters.Authority.Node(3);
        for (int round = 0; round < 40; round++)
        {
            // The first byte is the kind of message; all kinds there are, cut off somewhere, as the death of a leader cuts them off.
            byte[] bytes = new byte[random.Next(1, 2000)];
            random.NextBytes(bytes);
            bytes[0] = (byte)(round % 10);
            await TalkAsync(voters, leader, own, isTls: true, bytes);
        }

        Applied applied = await ProposeAsync(voters, 1, Commands.Up(1));
        await voters.UntilAsync(() => voters.Running.All(node => voters[node].AppliedIndex >= applied.Index), "all to go on");
        Assert.Equal(0, voters[1].Restarts + voters[2].Restarts + voters[3].Restarts);
    }

    [Fact]
    public void Settings_that_would_let_strangers_vote_or_lose_entries_are_refused()
    {
        var loopback = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 7947);
        var open = new System.Net.IPEndPoint(System.Net.IPAddress.Parse("192.168.1.10"), 7947);
        RaftSettings good = new() { Node = 1, Folder = "x", Voters = new Dictionary<byte, System.Net.IPEndPoint> { [1] = loopback } };
        good.Check();
        Assert.Throws<ArgumentException>((good with { Voters = new Dictionary<byte, System.Net.IPEndPoint> { [1] = open } }).Check);
        Assert.Throws<ArgumentException>((good with { Node = 2 }).Check);
        Assert.Throws<ArgumentException>((good with { Voters = new Dictionary<byte, System.Net.IPEndPoint> { [1] = loopback, [2] = loopback } }).Check);
        var four = Enumerable.Range(1, 4).ToDictionary(node => (byte)node, node => new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 7000 + node));
        Assert.Throws<ArgumentException>((good with { Voters = four }).Check);
    }

    private static async Task<byte> LeaderOfTwoAsync(RaftVoters voters)
    {
        await voters.UntilAsync(() => voters.Running.Any(node => node == voters[node].Leader), "a leader of the two");
        return voters.Running.First(node => node == voters[node].Leader);
    }

    // Bytes that came back, until the connection ended; a refusal in the handshake counts as none.
    private static async Task<int> TalkAsync(RaftVoters voters, byte node, X509Certificate2? shown, bool isTls, byte[]? bytes = null)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(voters.AddressOf(node));
        Stream stream = client.GetStream();
        try
        {
            if (isTls)
            {
                var tls = new SslStream(stream);
                await Deadline.Within(
                    tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
                    {
                        TargetHost = "plant",
                        EnabledSslProtocols = SslProtocols.Tls13,
                        ApplicationProtocols = [new SslApplicationProtocol("eb-raft/1")],
                        ClientCertificates = shown is null ? null : [shown],
                        LocalCertificateSelectionCallback = shown is null ? null : (_, _, _, _, _) => shown,
                        RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null,
                    }),
                    "the handshake to end");
                stream = tls;
            }

            await stream.WriteAsync(bytes ?? new byte[500]);
            await stream.FlushAsync();
            client.Client.Shutdown(SocketShutdown.Send);
            byte[] answer = new byte[4096];
            int total = 0;
            while (await Deadline.Within(stream.ReadAsync(answer).AsTask(), "the connection to be closed") is > 0 and var read) total += read;
            return total;
        }
        catch (Exception exception) when (exception is IOException or AuthenticationException or SocketException)
        {
            return 0;
        }
    }
}
