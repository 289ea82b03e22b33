using EdgeBroker.Cli.Control;
using EdgeBroker.Cli.Options;

namespace EdgeBroker.Cli.Cluster;

/// <summary><c>edgebroker cluster ...</c>: the other nodes of a running broker.</summary>
public static class ClusterCommand
{
    public static Command Command { get; } = new()
    {
        Name = "cluster",
        Summary = "see the other nodes of the cluster",
        Commands =
        [
            new Command
            {
                Name = "cluster status",
                Summary = "say which nodes are linked, and what waits for those that are not",
                Options = ControlOptions.Common,
                Remarks = ControlOptions.WhoMay,
                ExitCodes = "0 all nodes are linked, 1 some are not, or the broker is in no cluster",
                ReadsConfiguration = true,
                Run = Status,
            },
        ],
    };

    private static int Status(Arguments args, CommandContext context)
    {
        ClusterStatusAnswer answer = ControlOptions.Ask(args, context, new ControlRequest(ControlRequest.Cluster)).Cluster!;
        int exitCode = answer.Peers.All(peer => peer.State == "linked") ? ExitCode.Success : ExitCode.Failed;
        if (args.Has(SharedOptions.Json))
        {
            context.WriteJson(answer, ControlJson.Default.ClusterStatusAnswer);
            return exitCode;
        }

        context.Out.WriteLine(Printable.Escape($"node {answer.Node} ({answer.Name}), {answer.Filters} filter(s), {answer.Sessions} session(s) of its own"
            + (answer.PassedOver > 0 ? $", {answer.PassedOver} set aside for newer ones on other nodes" : "")
            + (answer.Waiting > 0 ? $", {answer.Waiting} client(s) waiting" : "")));
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
