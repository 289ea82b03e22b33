using System.Runtime.InteropServices;
using EdgeBroker.Client;

namespace EdgeBroker.PubSub;

/// <summary>Runs a verb: signals end it in order, and what goes wrong becomes a sentence and an exit code.</summary>
internal static class CommandRunner
{
    /// <summary>Runs a verb in the process, until it ends or SIGINT or SIGTERM comes.</summary>
    public static int RunInProcess(Func<CommandStreams, CancellationToken, Task<int>> run)
    {
        using var ending = new CancellationTokenSource();
        void End(PosixSignalContext context)
        {
            // A second signal finds the default again and ends a client that hangs.
            if (ending.IsCancellationRequested) return;
            context.Cancel = true;
            ending.Cancel();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        return run(CommandStreams.OfProcess(), ending.Token).GetAwaiter().GetResult();
    }

    /// <summary>Runs the body of a verb and turns its failures into exit codes.</summary>
    public static async Task<int> GuardAsync(string verb, CommandStreams streams, Func<bool> isQuiet, Func<Task<int>> body)
    {
        int Say(string message, int exitCode)
        {
            if (!isQuiet() || exitCode == ExitCode.Usage) streams.Errors.WriteLine(message);
            return exitCode;
        }

        try
        {
            return await body();
        }
        catch (UsageException e)
        {
            return Say($"edgebroker {verb}: {e.Message}\nSee edgebroker {verb} --help.", ExitCode.Usage);
        }
        catch (ArgumentException e)
        {
            return Say($"edgebroker {verb}: {e.Message}", ExitCode.Usage);
        }
        catch (Exception e) when (e is MqttException or IOException or UnauthorizedAccessException)
        {
            return Say($"edgebroker {verb}: {e.Message}", ExitCode.Failed);
        }
    }

    /// <summary>The client options with what both verbs add: the clock, and the packets on standard error with <c>-d</c>.</summary>
    public static MqttClientOptions WithDebugging(MqttClientOptions options, ClientArguments arguments, CommandStreams streams)
    {
        options = options with { TimeProvider = streams.Time };
        if (!arguments.IsDebugging) return options;
        TextWriter errors = TextWriter.Synchronized(streams.Errors);
        return options with { Trace = packet => errors.WriteLine($"{(packet.Sent ? "sent" : "received")} {packet.Type.ToString().ToUpperInvariant()}, {packet.LengthBytes} bytes") };
    }
}
