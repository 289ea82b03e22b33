using System.Text;
using EdgeBroker.Cli.Options;
using EdgeBroker.Core.Management;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cli.Control;

/// <summary><c>edgebroker subscriptions TOPIC</c> and <c>edgebroker shared</c>: who gets the messages of a topic, and which groups share them.</summary>
public static class SubscriptionsCommand
{
    public static Command Command { get; } = new()
    {
        Name = "subscriptions",
        Summary = "list the subscriptions of the running broker that match a topic",
        Operands = [new Operand("TOPIC")],
        Options = ControlOptions.Paged,
        Remarks = "Of the members of a shared group each message goes to one. " + ControlOptions.WhoMay,
        ReadsConfiguration = true,
        Run = List,
    };

    public static Command SharedCommand { get; } = new()
    {
        Name = "shared",
        Summary = "list the groups of shared subscriptions of the running broker",
        Options = ControlOptions.Paged,
        Remarks = ControlOptions.WhoMay,
        ReadsConfiguration = true,
        Run = ListShared,
    };

    private static int List(Arguments args, CommandContext context)
    {
        string topic = args.Operands[0];
        if (!TopicName.IsValid(Encoding.UTF8.GetBytes(topic))) throw new UsageException($"\"{topic}\" is not a topic name");
        var request = new ControlRequest(ControlRequest.Subscriptions) { Topic = topic };
        Page<SubscriberView> page = ControlOptions.Ask(args, context, request.WithPage(args)).Subscribers!;
        if (args.Has(SharedOptions.Json))
        {
            context.WriteJson(page, ControlJson.Default.PageSubscriberView);
            return ExitCode.Success;
        }

        var table = new TextTable("CLIENT", "FILTER", ">QOS", "OPTIONS");
        foreach (SubscriberView subscriber in page.Items)
        {
            foreach (SubscriptionView one in subscriber.Subscriptions)
            {
                table.Add(subscriber.ClientId, one.Filter, Shown.Number(one.Qos), one.NoLocal ? "no local" : "");
            }
        }

        table.Write(context.Out);
        ControlOptions.ShowRest(args, context, page.Next, page.Items.Count, page.Total, "clients");
        return ExitCode.Success;
    }

    private static int ListShared(Arguments args, CommandContext context)
    {
        Page<SharedGroupView> page = ControlOptions.Ask(args, context, new ControlRequest(ControlRequest.Shared).WithPage(args)).Shared!;
        if (args.Has(SharedOptions.Json))
        {
            context.WriteJson(page, ControlJson.Default.PageSharedGroupView);
            return ExitCode.Success;
        }

        var table = new TextTable("GROUP", ">MEMBERS", "CLIENTS");
        foreach (SharedGroupView one in page.Items) table.Add(one.Filter, Shown.Number(one.Members), string.Join(", ", one.ClientIds));
        table.Write(context.Out);
        ControlOptions.ShowRest(args, context, page.Next, page.Items.Count, page.Total, "shared groups");
        return ExitCode.Success;
    }
}
