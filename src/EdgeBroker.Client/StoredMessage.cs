using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using EdgeBroker.Protocol;
using Microsoft.Win32.SafeHandles;

namespace EdgeBroker.Client;

/// <summary>
/// A record of a <see cref="FileMessageStore"/>, numbers little-endian: its length and the CRC-32C of what follows, 4 bytes each; then the message's number,
/// 8 bytes; and for a message its expiry (Unix milliseconds, 0: never, 8), flags (QoS, and 4 for RETAIN, 1), the lengths of topic and properties (2 and 4),
/// topic, properties, payload. A record with nothing but the number says that the message is done with; with a byte 1 behind it, that the server has answered
/// with PUBREC.
/// </summary>
/// <param name="Id">The number.</param>
/// <param name="Message">The message; null: it is said of one that stands before.</param>
/// <param name="ExpiresAt">When it expires; null: never.</param>
/// <param name="IsReceived">Whether the server has answered it with PUBREC.</param>
internal readonly record struct StoredMessage(long Id, PublishMessage? Message, DateTimeOffset? ExpiresAt, bool IsReceived = false)
{
    /// <summary>Bytes before the first record.</summary>
    public const int HeaderBytes = 8;

    private const int PrefixBytes = 8;
    private const int DoneBytes = 8;
    private const int FixedBytes = 23;
    private const byte RetainFlag = 4;
    private const byte ReceivedMark = 1;

    // The last half of all identifiers is for what is in no file.
    private const int Identifiers = 32_767;

    private static ReadOnlySpan<byte> Magic => "EBMSGS\0\u0002"u8;

    /// <summary>The first packet identifier that no message of a file has.</summary>
    public const ushort FirstOtherPacketId = Identifiers + 1;

    /// <summary>The packet identifier of a message: it follows from its number, so that the exchange with the server goes on in the next process.</summary>
    public static ushort PacketIdOf(long id) => (ushort)(((id - 1) % Identifiers) + 1);

    /// <summary>Bytes of a message's record.</summary>
    public static int LengthOf(PublishMessage message) =>
        PrefixBytes + FixedBytes + message.Topic.Length + message.EncodedProperties.Length + message.Payload.Length;

    /// <summary>Writes the file's first bytes; returns how many.</summary>
    public static long WriteHeader(SafeFileHandle file)
    {
        RandomAccess.Write(file, Magic, 0);
        return HeaderBytes;
    }

    /// <summary>Looks at the file's first bytes.</summary>
    /// <exception cref="InvalidDataException">The file is none of these.</exception>
    public static void CheckHeader(SafeFileHandle file, string path)
    {
        Span<byte> head = stackalloc byte[HeaderBytes];
        if (RandomAccess.Read(file, head, 0) == HeaderBytes && head.SequenceEqual(Magic)) return;
        throw new InvalidDataException($"{path} is no store of messages, and stays as it is; name another file.");
    }

    /// <summary>Writes the record of a message.</summary>
    public static void Write(IBufferWriter<byte> output, long id, PublishMessage message, DateTimeOffset? expiresAt)
    {
        int length = LengthOf(message);
        Span<byte> record = output.GetSpan(length)[..length];
        Span<byte> body = record[PrefixBytes..];
        BinaryPrimitives.WriteInt64LittleEndian(body, id);
        BinaryPrimitives.WriteInt64LittleEndian(body[8..], expiresAt?.ToUnixTimeMilliseconds() ?? 0);
        body[16] = (byte)((int)message.QoS | (message.Retain ? RetainFlag : 0));
        BinaryPrimitives.WriteUInt16LittleEndian(body[17..], (ushort)message.Topic.Length);
        BinaryPrimitives.WriteInt32LittleEndian(body[19..], message.EncodedProperties.Length);
        message.Topic.Span.CopyTo(body[FixedBytes..]);
        message.EncodedProperties.Span.CopyTo(body[(FixedBytes + message.Topic.Length)..]);
        message.Payload.Span.CopyTo(body[(FixedBytes + message.Topic.Length + message.EncodedProperties.Length)..]);
        Seal(record);
        output.Advance(length);
    }

    /// <summary>Writes that a message is done with; returns the bytes of the record.</summary>
    public static int WriteDone(IBufferWriter<byte> output, long id) => WriteNote(output, id, []);

    /// <summary>Writes that the server has answered a message with PUBREC; returns the bytes of the record.</summary>
    public static int WriteReceived(IBufferWriter<byte> output, long id) => WriteNote(output, id, [ReceivedMark]);

    private static int WriteNote(IBufferWriter<byte> output, long id, ReadOnlySpan<byte> mark)
    {
        int length = PrefixBytes + DoneBytes + mark.Length;
        Span<byte> record = output.GetSpan(length)[..length];
        BinaryPrimitives.WriteInt64LittleEndian(record[PrefixBytes..], id);
        mark.CopyTo(record[(PrefixBytes + DoneBytes)..]);
        Seal(record);
        output.Advance(record.Length);
        return record.Length;
    }

    /// <summary>Reads a record; false: there is no whole one.</summary>
    /// <param name="file">The file.</param>
    /// <param name="offset">Where the record begins.</param>
    /// <param name="end">Where the file ends.</param>
    /// <param name="record">The record.</param>
    /// <param name="bytes">Its length.</param>
    public static bool TryRead(SafeFileHandle file, long offset, long end, out StoredMessage record, out int bytes)
    {
        record = default;
        bytes = 0;
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        if (end - offset < PrefixBytes + DoneBytes || RandomAccess.Read(file, prefix, offset) < PrefixBytes) return false;
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(prefix);
        // Never as much memory as a length says that is not there.
        if (length < DoneBytes || length > end - offset - PrefixBytes || length > int.MaxValue - PrefixBytes) return false;
        byte[] body = new byte[length];
        if (!TryFill(file, body, offset + PrefixBytes) || Checksum(body) != BinaryPrimitives.ReadUInt32LittleEndian(prefix[4..])) return false;
        bytes = PrefixBytes + body.Length;
        return TryParse(body, out record);
    }

    /// <summary>Reads bytes that are there.</summary>
    /// <exception cref="EndOfStreamException">They are not.</exception>
    public static void Fill(SafeFileHandle file, Span<byte> bytes, long offset)
    {
        if (!TryFill(file, bytes, offset)) throw new EndOfStreamException("The file of messages has become shorter.");
    }

    private static bool TryParse(byte[] body, out StoredMessage record)
    {
        record = new StoredMessage(BinaryPrimitives.ReadInt64LittleEndian(body), null, null);
        if (body.Length == DoneBytes) return true;
        if (body.Length == DoneBytes + 1)
        {
            record = record with { IsReceived = true };
            return body[DoneBytes] == ReceivedMark;
        }

        if (body.Length < FixedBytes) return false;
        long expiresAtMs = BinaryPrimitives.ReadInt64LittleEndian(body.AsSpan(8));
        byte flags = body[16];
        int topic = BinaryPrimitives.ReadUInt16LittleEndian(body.AsSpan(17));
        int properties = BinaryPrimitives.ReadInt32LittleEndian(body.AsSpan(19));
        bool fits = properties >= 0 && (long)FixedBytes + topic + properties <= body.Length;
        if (!fits || (flags & 3) is 0 or 3 || flags > (RetainFlag | 3)) return false;
        try
        {
            var message = new PublishMessage(body.AsMemory(FixedBytes, topic), body.AsMemory(FixedBytes + topic + properties))
            {
                QoS = (QoS)(flags & 3),
                Retain = (flags & RetainFlag) != 0,
                EncodedProperties = body.AsMemory(FixedBytes + topic, properties),
            };
            record = record with { Message = message, ExpiresAt = expiresAtMs == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(expiresAtMs) };
            return true;
        }
        catch (ArgumentException)
        {
            // Not of our writing.
            return false;
        }
    }

    private static bool TryFill(SafeFileHandle file, Span<byte> body, long offset)
    {
        while (!body.IsEmpty)
        {
            int read = RandomAccess.Read(file, body, offset);
            if (read == 0) return false;
            body = body[read..];
            offset += read;
        }

        return true;
    }

    private static void Seal(Span<byte> record)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)(record.Length - PrefixBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], Checksum(record[PrefixBytes..]));
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        for (; bytes.Length >= 8; bytes = bytes[8..]) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (byte one in bytes) crc = BitOperations.Crc32C(crc, one);
        return ~crc;
    }
}
