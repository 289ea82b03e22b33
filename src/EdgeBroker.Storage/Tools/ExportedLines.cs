using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeBroker.Core.Messages;

namespace EdgeBroker.Storage.Tools;

/// <summary>Writes JSON objects, one a line.</summary>
internal sealed class ExportedLines : IDisposable
{
    // What is kept before the stream gets it; a payload goes through in portions, so that no message has to lie in memory encoded.
    private const int PortionBytes = 48 * 1024;

    // The file is no web page: quotes and signs of other scripts need no escaping.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ArrayBufferWriter<byte> _buffer = new(2 * PortionBytes);
    private readonly Stream _target;

    /// <param name="target">Where to; left open.</param>
    public ExportedLines(Stream target)
    {
        _target = target;
        Json = new Utf8JsonWriter(_buffer, Options);
    }

    /// <summary>The line being written.</summary>
    public Utf8JsonWriter Json { get; }

    /// <summary>Begins a line.</summary>
    public void Begin(ReadOnlySpan<byte> type)
    {
        Json.WriteStartObject();
        Json.WriteString("type"u8, type);
    }

    /// <summary>Ends a line.</summary>
    public void End()
    {
        Json.WriteEndObject();
        Json.Flush();
        Json.Reset();
        _buffer.Write("\n"u8);
        if (_buffer.WrittenCount >= PortionBytes) Drain();
    }

    /// <summary>A time as an age of the store; one that never comes is null.</summary>
    public void Age(ReadOnlySpan<byte> name, long ageMs)
    {
        if (ageMs == Message.Never) Json.WriteNull(name);
        else Json.WriteNumber(name, Math.Max(0, ageMs));
    }

    /// <summary>Bytes, in base64.</summary>
    public void Bytes(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Json.WritePropertyName(name);
        while (value.Length > PortionBytes)
        {
            Json.WriteBase64StringSegment(value[..PortionBytes], isFinalSegment: false);
            value = value[PortionBytes..];
            Json.Flush();
            Drain();
        }

        Json.WriteBase64StringSegment(value, isFinalSegment: true);
    }

    /// <summary>Hands everything to the stream.</summary>
    public void Drain()
    {
        _target.Write(_buffer.WrittenSpan);
        _buffer.ResetWrittenCount();
    }

    /// <inheritdoc/>
    public void Dispose() => Json.Dispose();
}
