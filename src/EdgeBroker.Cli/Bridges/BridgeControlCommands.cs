using EdgeBroker.Cli.Control;
using EdgeBroker.Cli.Options;

namespace EdgeBroker.Cli.Bridges;

/// <summary><c>edgebroker bridge list</c> and orders to the bridges of the running broker.</summary>
public static class BridgeControlCommands
{
    /// <summary>The commands.</summary>
    public static Command[] All { get; } =
    [
        new Command
        {
            Name = "bridge list",
            Summary = "say how the bridges of the running broker are, and what waits",
            Options = ControlOptions.Common,
            Remarks = """
                A bridge with lanes has a line NAME/LANE for each, in the order in which they go; NAME/ is what has no
                lane of its own. What waits in them is part of what waits in the bridge.

                """ + ControlOptions.WhoMay,
            ReadsConfiguration = true,
            Run = List,
        },
        Order("start", "have a bridge connect, and stay so"),
        Order("stop", "have a bridge leave until it is started again; what is published meanwhile waits"),
        Order("drain", "have a bridge that is stopped or lazy send what waits"),
        Order("purge", "drop what waits to go out by a bridge"),
    ];

    private static Command Order(string order, string summary) => new()
    {
        Name = "bridge " + order,
        Summary = summary,
        Operands = [new Operand("NAME")],
        Options = ControlOptions.Common,
        Remarks = ControlOptions.WhoMay,
        ReadsConfiguration = true,
        Run = (args, context) =>
        {
            var request = new ControlRequest(ControlRequest.BridgeOrder) { Bridge = args.Operands[0], Order = order };
            return Show(args, context, ControlOptions.Ask(args, context, request).Bridges!);
        },
    };

    private static int List(Arguments args, CommandContext context) =>
        Show(args, context, ControlOptions.Ask(args, context, new ControlRequest(ControlRequest.Bridges)).Bridges!);

    private static int Show(Arguments args, CommandContext context, BridgesAnswer answer)
    {
        if (args.Has(SharedOptions.Json))
        {
            context.WriteJson(answer, ControlJson.Default.BridgesAnswer);
            return ExitCode.Success;
        }

        var table = new TextTable("NAME", "STATE", ">WAIT", ">BYTES", ">OLDEST", ">SENT", ">ACKED", ">RECEIVED", ">LOST", ">LAST ACK", "SERVER");
        foreach (BridgeAnswer one in answer.Bridges)
        {
            table.Add(
                one.Name, one.State, Shown.Number(one.BacklogMessages), Shown.Number(one.BacklogBytes),
                one.BacklogMessages == 0 ? "" : Shown.Duration(one.OldestSeconds), Shown.Number(one.Sent), Shown.Number(one.Acknowledged),
                Shown.Number(one.Received), Shown.Number(one.Dropped + one.Refused),
                one.LastAcknowledgedSeconds is { } ago ? Shown.Duration(ago) : "never", one.Server);
            foreach (LaneAnswer lane in one.Lanes)
            {
                table.Add(
                    $"{one.Name}/{lane.Name}", "", Shown.Number(lane.BacklogMessages), Shown.Number(lane.BacklogBytes),
                    lane.BacklogMessages == 0 ? "" : Shown.Duration(lane.OldestSeconds), "", "", "", "", "", "");
            }
        }

        table.Write(context.Out);
        if (answer.Bridges.Count == 0) context.Out.WriteLine("there is no [[bridge]]");
        foreach (BridgeAnswer one in answer.Bridges.Where(bridge => bridge.RefusedSubscriptions.Count > 0))
        {
            string filters = string.Join(", ", one.RefusedSubscriptions.Select(Printable.Escape));
            context.Out.WriteLine($"{one.Name}: nothing comes of {filters}, since the other side refused the subscription");
        }

        foreach (BridgeAnswer one in answer.Bridges.Where(bridge => bridge.LastError is not null))
        {
            context.Out.WriteLine($"{one.Name}: {one.LastErrorAt:u} ({one.LastErrorLayer}) {Printable.Escape(one.LastError!)}");
        }

        return ExitCode.Success;
    }
}
