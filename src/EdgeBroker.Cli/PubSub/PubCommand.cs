using System.Text;
using EdgeBroker.Cli.Files;
using EdgeBroker.Cli.Options;
using EdgeBroker.Client;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cli.PubSub;

/// <summary>The verb <c>pub</c>: publishes and ends when everything is acknowledged.</summary>
public static class PubCommand
{
    /// <summary>Publishes handed to the client before the oldest is awaited: keeps the in-flight window full, whatever its size.</summary>
    private const int Pipelined = 2000;

    public static Command Command { get; } = new()
    {
        Name = "pub",
        Summary = "publish messages, with mosquitto_pub's options",
        Groups = PubArguments.Groups,
        Remarks = """
            Examples
              edgebroker pub -t topic -m text
              edgebroker pub -t topic -l < lines.txt
            """,
        ExitCodes = $"0 done, 1 failed, {ExitCode.TimedOut} time over (-W)",
        LastHolds = true,
        Unsupported = ClientArguments.Unsupported,
        Run = (args, context) => ClientRun.Run(args, context, stop => PublishWithinAsync(new PubArguments(args), context, stop)),
    };

    private static async Task<int> PublishWithinAsync(PubArguments arguments, CommandContext context, CancellationToken stop)
    {
        using var timeout = new CancellationTokenSource(arguments.Timeout ?? System.Threading.Timeout.InfiniteTimeSpan, context.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, timeout.Token);
        try
        {
            return await PublishAsync(arguments, context, either.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            if (!arguments.Client.IsQuietly) await context.Error.WriteLineAsync("edgebroker pub: timed out; not everything is acknowledged");
            return ExitCode.TimedOut;
        }
    }

    private static async Task<int> PublishAsync(PubArguments arguments, CommandContext context, CancellationToken ending)
    {
        MqttClientOptions options = ClientRun.WithDebugging(arguments.Client.ToOptions("pub"), arguments.Client, context);
        if (arguments.MaximumInflight is { } inflight) options = options with { MaximumInflight = inflight };
        byte[] properties = options.Version == ProtocolVersion.V5 ? arguments.Client.Properties.Publish.EncodeForPublish() : [];
        // A wrong topic or an unreadable file is said before anybody is bothered with a connection.
        PublishMessage Message(ReadOnlyMemory<byte> payload) => ClientArguments.Message(
            arguments.Client.Topics[0], payload, arguments.Client.QoS, arguments.Retain, properties, arguments.Client.Properties.TopicAlias);
        Message(default);
        byte[]? payload = await ReadPayloadAsync(arguments, context, ending);

        if (arguments.Source == PayloadSource.WholeInput && payload is { Length: 0 })
        {
            throw new CommandException("standard input holds nothing; -n publishes an empty message");
        }

        // Lines come for as long as somebody writes them, and servers restart meanwhile.
        if (arguments.Source == PayloadSource.InputLines)
        {
            options = options with { Reconnect = new ReconnectOptions { LongestDelay = TimeSpan.FromSeconds(30) } };
        }

        await using MqttClient client = await ClientRun.ConnectAsync(options, arguments.Client, "pub", ending);
        var publisher = new Pipeline(client, Pipelined);
        try
        {
            if (payload is null) await PublishLinesAsync(publisher, Message, context, ending);
            else await PublishRepeatedAsync(publisher, Message(payload), arguments, context, ending);
            await publisher.DrainAsync(ending);
        }
        catch (Exception e) when (e is OperationCanceledException or MqttException)
        {
            await client.DisconnectAsync(cancellationToken: CancellationToken.None);
            throw;
        }

        await client.DisconnectAsync(properties: arguments.Client.Properties.Disconnect, cancellationToken: ending);
        await client.Completion;
        return ExitCode.Success;
    }

    private static async Task<byte[]?> ReadPayloadAsync(PubArguments arguments, CommandContext context, CancellationToken ending)
    {
        switch (arguments.Source)
        {
            case PayloadSource.Text: return Encoding.UTF8.GetBytes(arguments.Text);
            case PayloadSource.Empty: return [];
            case PayloadSource.File: return await ReadFileAsync(arguments.Text, ending);
            case PayloadSource.InputLines: return null;
            default:
                using (var all = new MemoryStream())
                {
                    await context.OpenInput().CopyToAsync(all, ending).WaitAsync(ending);
                    return all.ToArray();
                }
        }
    }

    private static async Task<byte[]> ReadFileAsync(string path, CancellationToken ending)
    {
        try
        {
            return await File.ReadAllBytesAsync(path, ending);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{path}: {FileFailure.Explain(e, path)}", e);
        }
    }

    private static async Task PublishLinesAsync(
        Pipeline publisher, Func<ReadOnlyMemory<byte>, PublishMessage> message, CommandContext context, CancellationToken ending)
    {
        var lines = new LineReader(context.OpenInput());
        while (await lines.ReadAsync(ending) is { } line) await publisher.PublishAsync(message(line), ending);
    }

    private static async Task PublishRepeatedAsync(
        Pipeline publisher, PublishMessage message, PubArguments arguments, CommandContext context, CancellationToken ending)
    {
        for (long i = 0; i < arguments.Repeat; i++)
        {
            if (i > 0 && arguments.RepeatDelay > TimeSpan.Zero) await Task.Delay(arguments.RepeatDelay, context.Time, ending);
            await publisher.PublishAsync(message, ending);
        }
    }
}
