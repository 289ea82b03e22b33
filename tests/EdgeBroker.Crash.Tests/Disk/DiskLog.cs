using System.Buffers.Binary;
using System.Text;

namespace EdgeBroker.Crash.Tests.Disk;

/// <summary>What programs did to the followed directory, in order.</summary>
public sealed class DiskLog
{
    private const int HeaderBytes = 40;

    private DiskLog(List<DiskRecord> records) => Records = records;

    /// <summary>All of it.</summary>
    public IReadOnlyList<DiskRecord> Records { get; }

    /// <summary>Reads a log up to a position.</summary>
    /// <exception cref="InvalidDataException">Something happened that no log can hold, or the file is not a log.</exception>
    public static DiskLog Read(string path, long length)
    {
        byte[] bytes = File.ReadAllBytes(path);
        if (bytes.Length < length) throw new InvalidDataException($"{path} has {bytes.Length} bytes of {length}");
        var records = new List<DiskRecord>();
        for (int at = 0; at < length;)
        {
            ReadOnlySpan<byte> header = bytes.AsSpan(at, HeaderBytes);
            var kind = (DiskRecordKind)BinaryPrimitives.ReadUInt32LittleEndian(header);
            int dataBytes = (int)BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
            ReadOnlyMemory<byte> data = bytes.AsMemory(at + HeaderBytes, dataBytes);
            at += HeaderBytes + dataBytes;
            if (kind is < DiskRecordKind.Start or > DiskRecordKind.Unfollowed) throw new InvalidDataException($"{path}: a record of kind {kind} before {at}");
            if (kind == DiskRecordKind.Unfollowed)
            {
                throw new InvalidDataException($"the program did what cannot be followed: {Encoding.UTF8.GetString(data.Span)}");
            }

            records.Add(new DiskRecord(
                kind, at, (long)BinaryPrimitives.ReadUInt64LittleEndian(header[8..]), BinaryPrimitives.ReadUInt64LittleEndian(header[16..]),
                (long)BinaryPrimitives.ReadUInt64LittleEndian(header[24..]), (long)BinaryPrimitives.ReadUInt64LittleEndian(header[32..]), data));
        }

        return new DiskLog(records);
    }
}
