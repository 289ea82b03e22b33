using System.Buffers.Binary;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;

namespace EdgeBroker.Coap.Dtls;

/// <summary>What a record holds.</summary>
internal enum RecordKind
{
    /// <summary>Nothing: it was dropped.</summary>
    None,

    /// <summary>Data of the application.</summary>
    Data,

    /// <summary>A part of a handshake: the client has not got the end of it.</summary>
    Handshake,

    /// <summary>The client ends the association.</summary>
    End,
}

/// <summary>
/// The records of an association after its handshake (RFC 6347, 4.1; RFC 9146): one epoch, no thread, no timer. Used under its association's lock.
/// </summary>
/// <param name="cipher">What the handshake has agreed on.</param>
/// <param name="clientId">The connection id that the client's records bear; empty: none.</param>
/// <param name="ownId">The connection id that ours bear; empty: none.</param>
/// <param name="firstSequence">The number of our first record; those before are the handshake's.</param>
internal sealed class RecordCodec(TlsCipher cipher, byte[] clientId, byte[] ownId, long firstSequence)
{
    /// <summary>Bytes of a record's header without a connection id.</summary>
    public const int HeaderLength = 13;

    /// <summary>The content type of records with a connection id.</summary>
    public const byte WithConnectionId = 25;

    /// <summary>Where their connection id begins.</summary>
    public const int ConnectionIdOffset = 11;

    private const int Epoch = 1;
    private const int WindowBits = 64;
    private const long MaxSequence = (1L << 48) - 1;
    private long _sequence = firstSequence;
    private long _highest = -1;
    private ulong _window;

    /// <summary>Whether the last record read is newer than all before it: who moved is where the newest came from (RFC 9146, 6).</summary>
    public bool IsNewest { get; private set; }

    /// <summary>Reads the record at the beginning of a datagram.</summary>
    /// <param name="datagram">what is left of a datagram; its bytes are decrypted in place.</param>
    /// <param name="offset">Where the record begins; afterwards, where the next one does.</param>
    /// <param name="end">Where the datagram ends.</param>
    /// <param name="payload">What the record holds, until the next call.</param>
    /// <returns>What it is. One that is forged, repeated or malformed is nothing.</returns>
    public RecordKind Read(byte[] datagram, ref int offset, int end, out ArraySegment<byte> payload)
    {
        payload = default;
        IsNewest = false;
        ReadOnlySpan<byte> record = datagram.AsSpan(offset, end - offset);
        int idLength = record.Length > 0 && record[0] == WithConnectionId ? clientId.Length : 0;
        int headerLength = HeaderLength + idLength;
        if (record.Length < headerLength)
        {
            offset = end;
            return RecordKind.None;
        }

        byte type = record[0];
        int length = BinaryPrimitives.ReadUInt16BigEndian(record[(headerLength - 2)..]);
        int start = offset + headerLength;
        offset = start + length;
        if (offset > end)
        {
            offset = end;
            return RecordKind.None;
        }

        ulong number = BinaryPrimitives.ReadUInt64BigEndian(record[3..]);
        long sequence = (long)(number & (ulong)MaxSequence);
        bool isOurs = record[1] == 0xFE && record[2] == 0xFD && number >> 48 == Epoch && (type == WithConnectionId) == (clientId.Length > 0)
            && record.Slice(ConnectionIdOffset, idLength).SequenceEqual(clientId.AsSpan(0, idLength));
        if (!isOurs || IsRepeated(sequence)) return RecordKind.None;
        TlsDecodeResult decoded;
        try
        {
            decoded = cipher.DecodeCiphertext((long)number, type, ProtocolVersion.DTLSv12, datagram, start, length);
        }
        catch (Exception exception) when (exception is TlsFatalAlert or IOException or ArgumentException or InvalidOperationException)
        {
            return RecordKind.None;
        }

        Note(sequence);
        payload = new ArraySegment<byte>(decoded.buf, decoded.off, decoded.len);
        return decoded.contentType switch
        {
            ContentType.application_data => RecordKind.Data,
            ContentType.handshake => RecordKind.Handshake,
            ContentType.alert when IsEnd(payload) => RecordKind.End,
            _ => RecordKind.None,
        };
    }

    /// <summary>Writes a record of ours, as a datagram; null: the association has sent all it may.</summary>
    public byte[]? Write(short contentType, ReadOnlySpan<byte> payload)
    {
        if (_sequence > MaxSequence) return null;
        long number = ((long)Epoch << 48) | _sequence++;
        TlsEncodeResult encoded = cipher.EncodePlaintext(number, contentType, ProtocolVersion.DTLSv12, HeaderLength + ownId.Length, payload);
        Span<byte> record = encoded.buf.AsSpan(encoded.off, encoded.len);
        record[0] = (byte)encoded.recordType;
        record[1] = 0xFE;
        record[2] = 0xFD;
        BinaryPrimitives.WriteInt64BigEndian(record[3..], number);
        ownId.CopyTo(record[ConnectionIdOffset..]);
        int lengthAt = ConnectionIdOffset + ownId.Length;
        BinaryPrimitives.WriteUInt16BigEndian(record[lengthAt..], (ushort)(encoded.len - lengthAt - 2));
        return encoded.off == 0 && encoded.len == encoded.buf.Length ? encoded.buf : record.ToArray();
    }

    // Fatal ones, and close_notify.
    private static bool IsEnd(ReadOnlySpan<byte> alert) => alert is [(byte)AlertLevel.fatal, _] or [_, (byte)AlertDescription.close_notify];

    private bool IsRepeated(long sequence)
    {
        long age = _highest - sequence;
        return age >= WindowBits || (age >= 0 && (_window >> (int)age & 1) != 0);
    }

    private void Note(long sequence)
    {
        long ahead = sequence - _highest;
        IsNewest = ahead > 0;
        if (ahead > 0)
        {
            _window = ahead >= WindowBits ? 1 : (_window << (int)ahead) | 1;
            _highest = sequence;
        }
        else
        {
            _window |= 1ul << (int)-ahead;
        }
    }
}
