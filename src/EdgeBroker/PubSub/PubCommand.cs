using System.Text;
using EdgeBroker.Client;
using EdgeBroker.Protocol;

namespace EdgeBroker.PubSub;

/// <summary>The verb <c>pub</c>: publishes and ends when everything is acknowledged.</summary>
public static class PubCommand
{
    /// <summary>Publishes handed to the client before the oldest is awaited: keeps the in-flight window full, whatever its size.</summary>
    private const int Pipelined = 2000;

    /// <summary>Runs the verb in the process and returns its exit code.</summary>
    public static int Run(string[] args) => CommandRunner.RunInProcess((streams, ending) => RunAsync(args, streams, ending));

    /// <summary>Runs the verb.</summary>
    public static Task<int> RunAsync(string[] args, CommandStreams streams, CancellationToken ending)
    {
        var arguments = new PubArguments();
        return CommandRunner.GuardAsync("pub", streams, () => arguments.Client.IsQuiet, async () =>
        {
            arguments.Read(args);
            if (arguments.Client.WantsHelp)
            {
                await streams.Output.WriteAsync(Encoding.UTF8.GetBytes(HelpText.Pub), ending);
                return ExitCode.Success;
            }

            try
            {
                return await PublishAsync(arguments, streams, ending);
            }
            catch (OperationCanceledException)
            {
                return ExitCode.Failed;
            }
        });
    }

    private static async Task<int> PublishAsync(PubArguments arguments, CommandStreams streams, CancellationToken ending)
    {
        MqttClientOptions options = CommandRunner.WithDebugging(arguments.Client.ToOptions("pub"), arguments.Client, streams);
        if (arguments.MaximumInflight is { } inflight) options = options with { MaximumInflight = inflight };
        byte[] properties = options.Version == ProtocolVersion.V5 ? arguments.Client.Properties.Publish.EncodeForPublish() : [];
        // A wrong topic or an unreadable file is said before anybody is bothered with a connection.
        PublishMessage Message(ReadOnlyMemory<byte> payload) => ClientArguments.Message(
            arguments.Client.Topics[0], payload, arguments.Client.QoS, arguments.Retain, properties, arguments.Client.Properties.TopicAlias);
        Message(default);
        byte[]? payload = await ReadPayloadAsync(arguments, streams, ending);

        await using var client = new MqttClient(options);
        await client.ConnectAsync(ending);
        var publisher = new Pipeline(client, Pipelined);
        try
        {
            if (payload is null) await PublishLinesAsync(publisher, Message, streams, ending);
            else await PublishRepeatedAsync(publisher, Message(payload), arguments, streams, ending);
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

    private static async Task<byte[]?> ReadPayloadAsync(PubArguments arguments, CommandStreams streams, CancellationToken ending)
    {
        switch (arguments.Source)
        {
            case PayloadSource.Text: return Encoding.UTF8.GetBytes(arguments.Text);
            case PayloadSource.Empty: return [];
            case PayloadSource.File: return await File.ReadAllBytesAsync(arguments.Text, ending);
            case PayloadSource.InputLines: return null;
            default:
                using (var all = new MemoryStream())
                {
                    await streams.Input.CopyToAsync(all, ending).WaitAsync(ending);
                    return all.ToArray();
                }
        }
    }

    private static async Task PublishLinesAsync(Pipeline publisher, Func<ReadOnlyMemory<byte>, PublishMessage> message, CommandStreams streams, CancellationToken ending)
    {
        var lines = new LineReader(streams.Input);
        while (await lines.ReadAsync(ending) is { } line) await publisher.PublishAsync(message(line), ending);
    }

    private static async Task PublishRepeatedAsync(Pipeline publisher, PublishMessage message, PubArguments arguments, CommandStreams streams, CancellationToken ending)
    {
        for (long i = 0; i < arguments.Repeat; i++)
        {
            if (i > 0 && arguments.RepeatDelay > TimeSpan.Zero) await Task.Delay(arguments.RepeatDelay, streams.Time, ending);
            await publisher.PublishAsync(message, ending);
        }
    }
}
