using System.Buffers;
using System.Text;
using EdgeBroker.Cli.Options;
using EdgeBroker.Client;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cli.PubSub;

/// <summary>
/// Prints messages: as many as are at hand into one buffer, then one write, then their acknowledgements - so what the server may forget has been printed.
/// </summary>
internal sealed class MessagePrinter(MqttClient client, SubArguments arguments, OutputFormat format, CommandContext context)
{
    private const int FlushAtBytes = 64 << 10;
    private readonly Stream _output = context.OpenOutput();
    private readonly List<ReceivedMessage> _unflushed = [];
    private ArrayBufferWriter<byte> _buffer = new(FlushAtBytes);
    private long _printed;

    /// <summary>Prints until the wanted number is reached; cancelling ends it after what is at hand.</summary>
    public async Task PrintAsync(CancellationToken ending)
    {
        while (await client.WaitToReceiveAsync(ending))
        {
            bool isDone = false;
            while (!isDone && !ending.IsCancellationRequested && client.TryReceive(out ReceivedMessage? message))
            {
                isDone = await TakeAsync(message, ending);
                if (_buffer.WrittenCount >= FlushAtBytes) await FlushAsync();
            }

            await FlushAsync();
            if (isDone) return;
        }
    }

    /// <summary>Prints one message; true when it was the last wanted.</summary>
    private async ValueTask<bool> TakeAsync(ReceivedMessage message, CancellationToken ending)
    {
        if (arguments.RetainedOnly && !message.Retain) return true;
        _unflushed.Add(message);
        if (IsFilteredOut(message)) return false;
        if (arguments.RemoveRetained && message.Retain) await client.PublishAsync(new PublishMessage(message.Topic, default) { Retain = true }, ending);
        if (arguments.SkipRetained && message.Retain) return false;
        if (!format.TryWrite(_buffer, message, context.Time.GetLocalNow()) && !arguments.IsQuiet)
        {
            await context.Error.WriteLineAsync($"edgebroker sub: the payload on {message.TopicText} is no JSON; use %j, which quotes it.");
        }

        return ++_printed >= arguments.Count;
    }

    private bool IsFilteredOut(ReceivedMessage message) =>
        arguments.FiltersOut.Exists(filter => TopicFilter.Matches(Encoding.UTF8.GetBytes(filter), Encoding.UTF8.GetBytes(message.TopicText)));

    private async ValueTask FlushAsync()
    {
        if (_buffer.WrittenCount > 0)
        {
            await _output.WriteAsync(_buffer.WrittenMemory);
            await _output.FlushAsync();
            if (_buffer.Capacity > 4 * FlushAtBytes) _buffer = new ArrayBufferWriter<byte>(FlushAtBytes);
            else _buffer.ResetWrittenCount();
        }

        foreach (ReceivedMessage message in _unflushed) message.Acknowledge();
        _unflushed.Clear();
    }
}
