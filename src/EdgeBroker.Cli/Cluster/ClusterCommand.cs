using System.Globalization;
using EdgeBroker.Cli.Control;
using EdgeBroker.Cli.Options;

namespace EdgeBroker.Cli.Cluster;

/// <summary><c>edgebroker cluster ...</c>: the other nodes of a running broker.</summary>
public static class ClusterCommand
{
    public static Command Command { get; } = new()
    {
        Name = "cluster",
        Summary = "form a cluster, and see its nodes",
        Commands =
        [
            new Command
            {
                Name = "cluster status",
                Summary = "say which nodes are linked, and what waits for those that are not",
                Options = ControlOptions.Common,
                Remarks = ControlOptions.WhoMay,
                ExitCodes = "0 all nodes are linked, and the voters of a cluster have a leader; 1 that is not so, or the broker is in no cluster",
                ReadsConfiguration = true,
                Run = Status,
            },
            new Command
            {
                Name = "cluster init",
                Summary = "form the cluster: once, on one of the nodes that vote; the others join by themselves",
                Options = ControlOptions.Common,
                Remarks = ControlOptions.WhoMay,
                ExitCodes = "0 it is formed, 1 it is not; says why",
                ReadsConfiguration = true,
                Run = Init,
            },
            new Command
            {
                Name = "cluster remove",
                Summary = "give up a node that does not come back: its sessions, and what waits for it",
                Operands = [new Operand("NODE")],
                Options = ControlOptions.Common,
                Remarks = """
                    To be run on another node, once the node itself has been stopped and "cluster status" says that it
                    is Down. It votes no more, its clients begin anew wherever they come, and the others forget the
                    messages that waited for it. Should it come back as it was, it is told so, and serves nobody. Its
                    certificate stays refused.
                    """ + "\n" + ControlOptions.WhoMay,
                ExitCodes = "0 it is removed, 1 it is not; says why",
                ReadsConfiguration = true,
                Run = (args, context) => Remove(args, context, ControlRequest.ClusterRemove, "is removed"),
            },
            new Command
            {
                Name = "cluster replace",
                Summary = "give up a node that has lost its disk, so that another may come by its number",
                Operands = [new Operand("NODE")],
                Options = ControlOptions.Common,
                Remarks = """
                    As remove, but its certificate stays good. Whoever comes by its number with an empty node.data_dir
                    becomes a member by itself.
                    """ + "\n" + ControlOptions.WhoMay,
                ExitCodes = "0 another may come, 1 it may not; says why",
                ReadsConfiguration = true,
                Run = (args, context) => Remove(args, context, ControlRequest.ClusterReplace, "is given up: start another with an empty node.data_dir"),
            },
        ],
    };

    private const string Ready = "ready";
    private const string Forming = "forming";

    private static int Init(Arguments args, CommandContext context)
    {
        ClusterStatusAnswer answer = ControlOptions.Ask(args, context, new ControlRequest(ControlRequest.ClusterInit)).Cluster!;
        if (args.Has(SharedOptions.Json)) context.WriteJson(answer, ControlJson.Default.ClusterStatusAnswer);
        else context.Out.WriteLine("the cluster is formed; the other voters join by themselves: see \"edgebroker cluster status\"");
        return ExitCode.Success;
    }

    private static int Remove(Arguments args, CommandContext context, string ask, string done)
    {
        if (!int.TryParse(args.Operands[0], CultureInfo.InvariantCulture, out int node)) throw new UsageException("NODE is the number of a node, 1 to 7");
        ClusterStatusAnswer answer = ControlOptions.Ask(args, context, new ControlRequest(ask) { Node = node }).Cluster!;
        if (args.Has(SharedOptions.Json)) context.WriteJson(answer, ControlJson.Default.ClusterStatusAnswer);
        else context.Out.WriteLine($"node {node} {done}");
        return ExitCode.Success;
    }

    private static string Describe(VotersAnswer raft) => raft.State switch
    {
        Forming => "raft: no cluster yet; \"edgebroker cluster init\" on one of the voters forms it",
        Ready => $"raft: node {raft.Leader} leads in term {raft.Term}",
        "leaderless" => "raft: the voters have no leader",
        _ => $"raft: node {raft.Leader} led in term {raft.Term}; no majority of the voters answers",
    };

    private static int Status(Arguments args, CommandContext context)
    {
        ClusterStatusAnswer answer = ControlOptions.Ask(args, context, new ControlRequest(ControlRequest.Cluster)).Cluster!;
        bool isGood = answer.Peers.All(peer => peer.State == "linked") && answer.Raft is null or { State: Ready or Forming };
        int exitCode = isGood ? ExitCode.Success : ExitCode.Failed;
        if (args.Has(SharedOptions.Json))
        {
            context.WriteJson(answer, ControlJson.Default.ClusterStatusAnswer);
            return exitCode;
        }

        context.Out.WriteLine(Printable.Escape($"node {answer.Node} ({answer.Name}), {answer.Filters} filter(s), {answer.Sessions} session(s) of its own"
            + (answer.PassedOver > 0 ? $", {answer.PassedOver} set aside for newer ones on other nodes" : "")
            + (answer.Waiting > 0 ? $", {answer.Waiting} client(s) waiting" : "")));
        if (answer.Raft is { } raft)
        {
            context.Out.WriteLine(Describe(raft));
            context.Out.WriteLine(Printable.Escape($"voters {string.Join(", ", raft.Voters)}; members "
                + (raft.Members.Count == 0 ? "none" : string.Join(", ", raft.Members.Select(one => $"{one.Node} ({one.Name}) {one.State}")))));
            if (raft.LastError is { } error) context.Out.WriteLine(Printable.Escape($"this node does not vote: {error}"));
        }

        var table = new TextTable("NODE", "NAME", "STATE", ">SINCE", ">WAIT", ">FILTERS", ">TAKEN", ">REPEATED");
        foreach (PeerAnswer peer in answer.Peers)
        {
            table.Add(
                Shown.Number(peer.Node), peer.Name, peer.State, Shown.Duration(peer.SinceSeconds), Shown.Number(peer.Outbox), Shown.Number(peer.Filters),
                Shown.Number(peer.Taken), Shown.Number(peer.Repeated));
        }

        table.Write(context.Out);
        foreach (PeerAnswer peer in answer.Peers.Where(one => one is { State: not "linked", LastError: not null }))
        {
            context.Out.WriteLine(Printable.Escape($"node {peer.Node}: {peer.LastError}"));
        }

        return exitCode;
    }
}
