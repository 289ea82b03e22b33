using EdgeBroker.Cluster.State;

namespace EdgeBroker.Cluster.Tests.State;

/// <summary>Commands and their outcomes as bytes: what is written reads the same, and nothing else reads.</summary>
public sealed class CommandCodecTests
{
    private static readonly ClusterCommand[] All =
    [
        Commands.Up(1),
        Commands.Up(7, incarnation: long.MaxValue, highestGrant: 1L << 50, settledThrough: 12, wireMax: 255) with { Servers = [], RaftAddress = "" },
        Commands.Up(2) with { Name = new string('n', 64), Servers = [.. Enumerable.Repeat(new string('s', 255), 8)] },
        new NodeDown(3, 9),
        new NodeLeft(2),
        Commands.Claim(1, 1, 2, 1, Commands.Session("press7"), Commands.Session(new string('ü', 128), 77, 88, isClean: true)),
        new ClaimSessions(1, 1, 2, 1, true, [.. Enumerable.Range(0, 1000).Select(i => Commands.Session($"client-{i}", i, i + 1))]),
        new TakeLease("bridge/cloud", 1, 4, 0),
        new TakeLease("bridge/cloud", 0, 0, 99),
        new RaiseLevel(2),
    ];

    public static TheoryData<int> Numbers => [.. Enumerable.Range(0, All.Length)];

    [Theory]
    [MemberData(nameof(Numbers))]
    public void What_is_written_reads_the_same(int number) => Assert.Equal(All[number], CommandCodec.Read(CommandCodec.Write(All[number])));

    [Theory]
    [MemberData(nameof(Numbers))]
    public void A_part_of_it_or_more_than_it_is_refused(int number)
    {
        byte[] bytes = CommandCodec.Write(All[number]);
        for (int length = 0; length < bytes.Length; length++) Assert.Null(CommandCodec.Read(bytes.AsSpan(0, length)));
        Assert.Null(CommandCodec.Read([.. bytes, 0]));
    }

    [Fact]
    public void What_is_beyond_a_limit_is_refused()
    {
        ClusterCommand[] refused =
        [
            new NodeDown(0, 1), new NodeDown(8, 1), new NodeDown(1, 0), new NodeLeft(8),
            Commands.Up(1) with { Name = "" }, Commands.Up(1) with { Name = new string('n', 65) }, Commands.Up(1) with { WireMin = 2 },
            Commands.Up(1) with { Servers = [.. Enumerable.Repeat("s", 9)] }, Commands.Up(1) with { Servers = [""] },
            Commands.Claim(1, 1, 1, 1, Commands.Session("a")), Commands.Claim(1, 1, 2, 1),
            Commands.Claim(1, 1, 2, 1, Commands.Session("")), Commands.Claim(1, 1, 2, 1, Commands.Session(new string('a', 257))),
            new ClaimSessions(1, 1, 2, 1, false, [.. Enumerable.Range(0, 200).Select(i => Commands.Session($"{i:000}{new string('a', 250)}"))]),
            new TakeLease("", 1, 1, 0), new TakeLease("x", 1, 0, 0), new TakeLease("x", 0, 1, 0), new TakeLease("x", 8, 1, 0),
        ];
        Assert.All(refused, command => Assert.Null(CommandCodec.Read(CommandCodec.Write(command))));
    }

    [Fact]
    public void A_later_version_an_unknown_kind_bad_text_and_a_number_below_zero_are_refused()
    {
        byte[] left = CommandCodec.Write(new NodeLeft(2));
        Assert.Null(CommandCodec.Read([left[0], 2, left[2]]));
        Assert.Null(CommandCodec.Read([99, 1, left[2]]));
        Assert.Null(CommandCodec.Read([2, 1, 3, 0x80, 0, 0, 0, 0, 0, 0, 1]));
        Assert.Null(CommandCodec.Read([5, 1, 0, 1, 0xFF, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]));
        Assert.NotNull(CommandCodec.Read([5, 1, 0, 1, 0x41, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]));
    }

    [Fact]
    public void What_became_of_it_reads_the_same_and_nothing_else_reads()
    {
        var applied = new Applied
        {
            Index = 12,
            Outcome = CommandOutcome.Done,
            Former = FormerState.Down,
            Grant = 99,
            Claims = [new ClaimAnswer(true, 1, 12), new ClaimAnswer(false, 2, 7), default],
        };
        byte[] bytes = CommandCodec.Write(applied);
        Assert.Equal(applied, CommandCodec.ReadApplied(bytes));
        for (int length = 0; length < bytes.Length; length++) Assert.Null(CommandCodec.ReadApplied(bytes.AsSpan(0, length)));
        Assert.Null(CommandCodec.ReadApplied([.. bytes, 0]));
        bytes[1] = 11;
        Assert.Null(CommandCodec.ReadApplied(bytes));
    }

    /// <summary>Whatever bytes come: either they are refused, or they are exactly what writing the command gives, and applying it harms nothing.</summary>
    [Fact]
    public void Hostile_bytes_are_refused_or_are_a_command()
    {
        var random = new Random(20261130);
        byte[][] seeds = [.. All.Select(CommandCodec.Write)];
        var machine = new ClusterStateMachine();
        int read = 0;
        for (int round = 0; round < 60_000; round++)
        {
            byte[] bytes = Mutate(random, seeds[random.Next(seeds.Length)]);
            if (CommandCodec.Read(bytes) is { } command)
            {
                read++;
                Assert.Equal(bytes, CommandCodec.Write(command));
            }

            machine.Apply(machine.View.Index + 1, bytes);
            if (CommandCodec.ReadApplied(bytes) is { } applied) Assert.Equal(bytes, CommandCodec.Write(applied));
        }

        Assert.Equal(60_000, machine.View.Index);
        Assert.True(read > 1000, $"only {read} of them were commands: the test says nothing");
        Assert.Equal(SnapshotCodec.Write(machine), SnapshotCodec.Write(SnapshotCodec.Read(SnapshotCodec.Write(machine))));
    }

    private static byte[] Mutate(Random random, byte[] seed)
    {
        byte[] bytes = [.. seed.Take(Math.Min(seed.Length, 400))];
        for (int i = random.Next(4); i > 0 && bytes.Length > 0; i--)
        {
            int at = random.Next(bytes.Length);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes = bytes[..at];
                    break;
                default:
                    bytes = [.. bytes[..at], .. new byte[random.Next(8)], .. bytes[at..]];
                    break;
            }
        }

        return bytes;
    }
}
