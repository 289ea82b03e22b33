using System.Buffers;

namespace EdgeBroker.Logging;

/// <summary>Turns one entry into one write: complete lines that nothing in the entry can forge.</summary>
internal abstract class LineFormat
{
    public abstract void Write(in LogEntry entry, ArrayBufferWriter<byte> line);
}
