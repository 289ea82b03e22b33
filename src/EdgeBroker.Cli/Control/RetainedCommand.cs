using System.Text;
using EdgeBroker.Cli.Options;
using EdgeBroker.Core.Management;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cli.Control;

/// <summary><c>edgebroker retained ...</c>: the last values that the broker keeps.</summary>
public static class RetainedCommand
{
    private const string AllTopics = "#";

    public static Command Command { get; } = new()
    {
        Name = "retained",
        Summary = "list retained messages of the running broker, print one, delete one",
        Operands = [new Operand("FILTER", IsRequired: false)],
        Options = ControlOptions.Paged,
        Remarks = "FILTER is a topic filter; without one all but those under $SYS are listed. " + ControlOptions.WhoMay,
        ReadsConfiguration = true,
        Run = List,
        Commands =
        [
            new Command
            {
                Name = "retained get", Summary = "print the payload of a topic's retained message", Operands = [new Operand("TOPIC")],
                Options = ControlOptions.Common, ExitCodes = "0 printed, 1 failed, or there is none", ReadsConfiguration = true, Run = Get,
            },
            new Command
            {
                Name = "retained delete", Summary = "delete a topic's retained message; subscribers get an empty one", Operands = [new Operand("TOPIC")],
                Options = ControlOptions.Common, ExitCodes = "0 deleted, 1 failed, or there is none", ReadsConfiguration = true, Run = Delete,
            },
        ],
    };

    private static int List(Arguments args, CommandContext context)
    {
        string filter = args.Operands.FirstOrDefault() ?? AllTopics;
        if (!TopicFilter.IsValid(Encoding.UTF8.GetBytes(filter))) throw new UsageException($"\"{filter}\" is not a topic filter");
        Page<RetainedSummary> page = ControlOptions.Ask(args, context, new ControlRequest(ControlRequest.Retained) { Topic = filter }.WithPage(args)).Retained!;
        if (args.Has(SharedOptions.Json))
        {
            context.WriteJson(page, ControlJson.Default.PageRetainedSummary);
            return ExitCode.Success;
        }

        var table = new TextTable("TOPIC", ">QOS", ">BYTES", "EXPIRES IN");
        foreach (RetainedSummary one in page.Items)
        {
            table.Add(one.Topic, Shown.Number(one.Qos), Shown.Number(one.PayloadBytes), one.ExpiresInSeconds is { } left ? Shown.Duration(left) : "");
        }

        table.Write(context.Out);
        ControlOptions.ShowRest(args, context, page.Next, page.Items.Count, page.Total, "retained messages");
        return ExitCode.Success;
    }

    private static int Get(Arguments args, CommandContext context)
    {
        RetainedValue value = ControlOptions.Ask(args, context, new ControlRequest(ControlRequest.RetainedGet) { Topic = args.Operands[0] }).Value!;
        if (args.Has(SharedOptions.Json))
        {
            context.WriteJson(value, ControlJson.Default.RetainedValue);
            return ExitCode.Success;
        }

        // As it is: a pipe may want the bytes.
        using Stream output = context.OpenOutput();
        output.Write(value.Payload);
        output.Flush();
        return ExitCode.Success;
    }

    private static int Delete(Arguments args, CommandContext context)
    {
        string topic = args.Operands[0];
        ControlAnswer answer = ControlOptions.Ask(args, context, new ControlRequest(ControlRequest.RetainedDelete) { Topic = topic });
        DeleteAnswer delete = answer.Delete!;
        if (args.Has(SharedOptions.Json)) context.WriteJson(delete, ControlJson.Default.DeleteAnswer);
        else if (!delete.Deleted) context.Error.WriteLine($"{Printable.Escape(topic)} has no retained message");
        else context.Out.WriteLine($"{Printable.Escape(topic)} is deleted{(delete.Stored ? "" : "; the disk does not know yet")}");
        return answer.ExitCode;
    }
}
