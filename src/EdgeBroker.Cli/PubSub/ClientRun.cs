using EdgeBroker.Cli.Options;
using EdgeBroker.Client;

namespace EdgeBroker.Cli.PubSub;

/// <summary>Runs what <c>pub</c> and <c>sub</c> do: signals end it in order, and what goes wrong becomes a sentence and an exit code.</summary>
internal static class ClientRun
{
    /// <summary>Runs it until it ends or is asked to.</summary>
    public static int Run(Arguments args, CommandContext context, Func<CancellationToken, Task<int>> body)
    {
        using var stop = new StopSignals(context.Stop);
        try
        {
            return body(stop.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
        {
            return ExitCode.Failed;
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message);
        }
        catch (Exception e) when (e is (MqttException or IOException or UnauthorizedAccessException) and not OutputException)
        {
            return ClientArguments.IsQuiet(args) ? ExitCode.Failed : throw new CommandException(e.Message, e);
        }
    }

    /// <summary>The client options with what both verbs add: the clock, and the packets on standard error with <c>-d</c>.</summary>
    public static MqttClientOptions WithDebugging(MqttClientOptions options, ClientArguments arguments, CommandContext context)
    {
        options = options with { TimeProvider = context.Time };
        if (!arguments.IsDebugging) return options;
        TextWriter errors = TextWriter.Synchronized(context.Error);
        return options with
        {
            Trace = packet =>
                errors.WriteLine($"{(packet.Sent ? "sent" : "received")} {packet.Type.ToString().ToUpperInvariant()}, {packet.LengthBytes} bytes"),
        };
    }
}
