using EdgeBroker.Cli.Options;
using EdgeBroker.Client;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cli.PubSub;

/// <summary>The verb <c>sub</c>: subscribes and prints what comes.</summary>
public static class SubCommand
{
    public static Command Command { get; } = new()
    {
        Name = "sub",
        Summary = "subscribe and print messages, with mosquitto_sub's options",
        Groups = SubArguments.Groups,
        Remarks = """
            Example
              edgebroker sub -t 'plant/+/temperature' -v
            """,
        ExitCodes = $"0 done, 1 failed, {ExitCode.TimedOut} time over (-W)",
        LastHolds = true,
        Unsupported = ClientArguments.Unsupported,
        Run = (args, context) => ClientRun.Run(args, context, stop => SubscribeAsync(new SubArguments(args), context, stop)),
    };

    private static async Task<int> SubscribeAsync(SubArguments arguments, CommandContext context, CancellationToken ending)
    {
        OutputFormat format = arguments.ToFormat();
        using var timeout = new CancellationTokenSource(arguments.Timeout ?? Timeout.InfiniteTimeSpan, context.Time);
        using var givingUp = new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ending, timeout.Token, givingUp.Token);
        MqttException? hopeless = null;
        MqttClientOptions options = ClientRun.WithDebugging(arguments.Client.ToOptions("sub"), arguments.Client, context) with
        {
            AcknowledgeManually = true,
            Reconnect = new ReconnectOptions { LongestDelay = TimeSpan.FromSeconds(30) },
            ConnectionChanged = change =>
            {
                if (change.Failure is not { } failure) return;
                if (!arguments.IsQuiet) context.Error.WriteLine($"edgebroker sub: {failure.Message}");
                // Whoever took the session over would lose it to us again, and so on; and what was refused will be refused again.
                if (failure.Reason is not (ReasonCode.SessionTakenOver or ReasonCode.Banned or ReasonCode.NotAuthorized or ReasonCode.BadUserNameOrPassword
                    or ReasonCode.BadAuthenticationMethod or ReasonCode.ClientIdentifierNotValid or ReasonCode.UnsupportedProtocolVersion))
                {
                    return;
                }

                hopeless = failure;
                givingUp.Cancel();
            },
        };
        MqttClient? client = null;
        try
        {
            client = await ClientRun.ConnectAsync(options, arguments.Client, "sub", either.Token);
            if (await AskAsync(client, arguments, context, either.Token) is { } exitCode) return exitCode;
            var printer = new MessagePrinter(client, arguments, format, context);
            await printer.PrintAsync(either.Token);
            return await LeaveAsync(client, arguments, ExitCode.Success);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            if (hopeless is not null) return ExitCode.Failed;
            return ending.IsCancellationRequested ? await LeaveAsync(client, arguments, ExitCode.Success) : await TimeOutAsync(client, arguments, context);
        }
        finally
        {
            if (client is not null) await client.DisposeAsync();
        }
    }

    private static async Task<int> TimeOutAsync(MqttClient? client, SubArguments arguments, CommandContext context)
    {
        if (!arguments.IsQuiet) await context.Error.WriteLineAsync("edgebroker sub: timed out");
        return await LeaveAsync(client, arguments, ExitCode.TimedOut);
    }

    private static async Task<int> LeaveAsync(MqttClient? client, SubArguments arguments, int exitCode)
    {
        if (client is not null) await client.DisconnectAsync(properties: arguments.Client.Properties.Disconnect);
        return exitCode;
    }

    /// <summary>Unsubscribes and subscribes; an exit code when the command ends here.</summary>
    private static async Task<int?> AskAsync(MqttClient client, SubArguments arguments, CommandContext context, CancellationToken ending)
    {
        PropertyArguments properties = arguments.Client.Properties;
        if (arguments.Unsubscribe.Count > 0) await client.UnsubscribeAsync(arguments.Unsubscribe, properties.Unsubscribe, ending);
        Subscription[] wanted = arguments.ToSubscriptions();
        int refused = 0;
        if (wanted.Length > 0)
        {
            ReasonCode[] granted = await client.SubscribeAsync(wanted, properties.Subscribe, ending);
            for (int i = 0; i < granted.Length; i++)
            {
                if (!granted[i].IsError()) continue;
                refused++;
                if (!arguments.IsQuiet)
                {
                    await context.Error.WriteLineAsync(
                        $"edgebroker sub: the server refused the subscription to {wanted[i].Filter}: {ReasonAdvice.For(granted[i])}");
                }
            }
        }

        if (refused == wanted.Length && refused > 0) return await LeaveAsync(client, arguments, ExitCode.Failed);
        return arguments.ExitOnSubscribe || wanted.Length == 0 ? await LeaveAsync(client, arguments, refused > 0 ? ExitCode.Failed : ExitCode.Success) : null;
    }
}
