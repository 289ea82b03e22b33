using EdgeBroker.Cli.Options;
using EdgeBroker.Core.Management;

namespace EdgeBroker.Cli.Control;

/// <summary><c>edgebroker clients</c>: who is connected, and whose session is kept.</summary>
public static class ClientsCommand
{
    private static readonly CommandOption Connected = CommandOption.Flag("--connected", null, "only those with a connection");
    private static readonly CommandOption Disconnected = CommandOption.Flag("--disconnected", null, "only those without");
    private static readonly CommandOption User = CommandOption.Text("--user", 'u', "USER", "only those of this user; * and ? stand for other characters");

    public static Command Command { get; } = new()
    {
        Name = "clients",
        Summary = "list clients and sessions of the running broker",
        Operands = [new Operand("CLIENT-ID", IsRequired: false)],
        Options = [Connected, Disconnected, User, .. ControlOptions.Paged],
        Remarks = "In CLIENT-ID * and ? stand for other characters. " + ControlOptions.WhoMay,
        ReadsConfiguration = true,
        Run = Run,
    };

    private static int Run(Arguments args, CommandContext context)
    {
        if (args.Has(Connected) && args.Has(Disconnected)) throw new UsageException("--connected and --disconnected exclude each other");
        var request = new ControlRequest(ControlRequest.Clients)
        {
            ClientId = args.Operands.FirstOrDefault(),
            User = args.Text(User),
            Connected = args.Has(Connected) ? true : args.Has(Disconnected) ? false : null,
        };
        Page<SessionSummary> page = ControlOptions.Ask(args, context, request.WithPage(args)).Clients!;
        if (args.Has(SharedOptions.Json)) context.WriteJson(page, ControlJson.Default.PageSessionSummary);
        else Show(page, args, context);
        return ExitCode.Success;
    }

    private static void Show(Page<SessionSummary> page, Arguments args, CommandContext context)
    {
        var table = new TextTable("CLIENT", "USER", "ADDRESS", "MQTT", "CONNECTED", ">SUBSCRIPTIONS", ">QUEUED", ">OLDEST", ">IN FLIGHT", ">DROPPED");
        foreach (SessionSummary one in page.Items)
        {
            table.Add(
                one.ClientId,
                one.User,
                one.Address,
                one.Protocol,
                one.State == SessionSummary.Connected ? SessionCommand.Since(one.ConnectedAt, context) : "no",
                Shown.Number(one.SubscriptionsCount),
                Shown.Number(one.QueueMessages),
                one.QueueOldestSeconds is { } oldest ? Shown.Duration(oldest) : "",
                Shown.Number(one.InflightCount),
                Shown.Number(one.DroppedTotal));
        }

        table.Write(context.Out);
        ControlOptions.ShowRest(args, context, page.Next, page.Items.Count, page.Total, "sessions");
    }
}
