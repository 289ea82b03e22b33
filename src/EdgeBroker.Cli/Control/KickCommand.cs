using EdgeBroker.Cli.Options;

namespace EdgeBroker.Cli.Control;

/// <summary><c>edgebroker kick ID</c>: closes a client's connection, and ends its session where that is asked for.</summary>
public static class KickCommand
{
    private static readonly CommandOption Forget = CommandOption.Flag("--forget", null, "end its session, too: subscriptions, queue and will are gone");
    private static readonly CommandOption Will = CommandOption.Flag("--will", null, "with --forget: publish the will");

    public static Command Command { get; } = new()
    {
        Name = "kick",
        Summary = "disconnect a client of the running broker",
        Operands = [new Operand("CLIENT-ID")],
        Options = [Forget, Will, .. ControlOptions.Common],
        Remarks = """
            A 5.0 client hears 0x98 (Administrative action). Without --forget its will is published as after
            any other end of a connection. It may connect again: to keep it out, take it from the users or the
            rules, and reload.
            """ + "\n" + ControlOptions.WhoMay,
        ExitCodes = "0 done, 1 failed, or there is no such session, or nothing to disconnect",
        ReadsConfiguration = true,
        Run = Run,
    };

    private static int Run(Arguments args, CommandContext context)
    {
        string clientId = args.Operands[0];
        if (args.Has(Will) && !args.Has(Forget)) throw new UsageException("--will goes with --forget; otherwise the will is published anyway");
        var request = new ControlRequest(ControlRequest.Kick) { ClientId = clientId, Forget = args.Has(Forget), PublishWill = args.Has(Will) };
        ControlAnswer answer = ControlOptions.Ask(args, context, request);
        KickAnswer kick = answer.Kick!;
        if (args.Has(SharedOptions.Json)) context.WriteJson(kick, ControlJson.Default.KickAnswer);
        else if (kick.Forgotten) context.Out.WriteLine($"{Printable.Escape(clientId)} is forgotten");
        else if (kick.Disconnected) context.Out.WriteLine($"{Printable.Escape(clientId)} is disconnected");
        else context.Error.WriteLine($"{Printable.Escape(clientId)} has no connection; --forget ends its session");
        return answer.ExitCode;
    }
}
