using EdgeBroker.Cli.Options;
using EdgeBroker.Client;
using EdgeBroker.Protocol;

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

    /// <summary>A client that is connected: in MQTT 5, and in 3.1.1 where the server says that it does not speak 5 and nobody has asked for it.</summary>
    /// <param name="options">For MQTT 5, or for what was asked for.</param>
    /// <param name="arguments">The command line.</param>
    /// <param name="verb">The verb.</param>
    /// <param name="ending">Ends it.</param>
    /// <exception cref="MqttException">There is no connection.</exception>
    public static async Task<MqttClient> ConnectAsync(MqttClientOptions options, ClientArguments arguments, string verb, CancellationToken ending)
    {
        var client = new MqttClient(options);
        try
        {
            await client.ConnectAsync(ending);
            return client;
        }
        catch (MqttException e) when (e.Reason == ReasonCode.UnsupportedProtocolVersion && arguments.MayFallBack)
        {
            await client.DisposeAsync();
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }

        client = new MqttClient(arguments.FallBack(options, verb));
        try
        {
            await client.ConnectAsync(ending);
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
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
                errors.WriteLine(
                    $"{(packet.Sent ? "sent" : "received")} {packet.Type.ToString().ToUpperInvariant()}{Printable.Escape(packet.Detail)}, "
                        + $"{packet.LengthBytes} bytes"),
        };
    }
}
