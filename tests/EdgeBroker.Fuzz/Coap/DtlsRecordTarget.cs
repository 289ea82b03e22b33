using System.Buffers.Binary;
using System.Globalization;
using EdgeBroker.Coap.Dtls;
using EdgeBroker.Fuzz.Codec;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;

namespace EdgeBroker.Fuzz.Coap;

/// <summary>
/// Records after a handshake. The bytes are a script, since changed records alone would never get beyond the cipher: records that the client has sealed, some
/// of them changed, repeated, among others' bytes, several in a datagram. What the codec takes must be what the oracle takes: a record that the client has
/// sealed, byte by byte, that was not taken before and is not too old.
/// </summary>
internal static class DtlsRecordTarget
{
    private const int Window = 64;
    private static readonly Lazy<DtlsAgreement> Plain = new(() => DtlsAgreement.Make(withConnectionId: false));
    private static readonly Lazy<DtlsAgreement> WithId = new(() => DtlsAgreement.Make(withConnectionId: true));

    /// <summary>
    /// The first byte: bit 0, whether records bear a connection id. Then steps, a byte each: bits 0-1 what is added to the datagram - 0 a sealed record (type,
    /// number, length, bytes), 1 one that is changed (place and change behind it), 2 bytes (length, bytes), 3 an earlier record (which) -, bit 2 a
    /// number far ahead, bit 3 another epoch, bit 7 that the datagram goes on with the next step.
    /// </summary>
    public static void Run(byte[] input)
    {
        if (input.Length == 0) return;
        DtlsAgreement agreement = ((input[0] & 1) == 0 ? Plain : WithId).Value;
        RecordCodec codec = agreement.Records();
        var oracle = new Oracle(agreement.ConnectionId);
        var made = new List<byte[]>();
        var datagram = new List<byte>();
        int at = 1;
        while (at < input.Length)
        {
            byte step = input[at++];
            datagram.AddRange(Part(agreement, oracle, made, step, input, ref at));
            if ((step & 0x80) != 0 && at < input.Length) continue;
            Compare(codec, oracle, [.. datagram], input);
            datagram.Clear();
        }
    }

    private static byte[] Part(DtlsAgreement agreement, Oracle oracle, List<byte[]> made, byte step, byte[] input, ref int at)
    {
        if ((step & 3) == 3) return made.Count == 0 ? [] : made[Next(input, ref at) % made.Count];
        if ((step & 3) == 2) return Take(input, ref at);
        byte type = Next(input, ref at);
        long number = Next(input, ref at) * ((step & 4) == 0 ? 1L : 1L << 32);
        byte[] plain = Take(input, ref at);
        byte[] record = Seal(agreement, type, ((step & 8) == 0 ? 1L << 48 : 2L << 48) | number, plain);
        oracle.Sealed(record, type, plain);
        made.Add(record);
        if ((step & 3) == 0) return record;
        byte[] changed = [.. record];
        int place = Next(input, ref at) % changed.Length;
        changed[place] ^= Next(input, ref at);
        return changed;
    }

    private static byte Next(byte[] input, ref int at) => at < input.Length ? input[at++] : (byte)0;

    private static byte[] Take(byte[] input, ref int at)
    {
        int length = Math.Min(Next(input, ref at), input.Length - at);
        at += length;
        return input[(at - length)..at];
    }

    private static byte[] Seal(DtlsAgreement agreement, byte type, long number, byte[] plain)
    {
        byte[] id = agreement.ConnectionId;
        // The library refuses to seal two records of one number one after the other; a script may have them. No script has this number.
        agreement.ClientCipher.EncodePlaintext(number ^ (1L << 46), type, ProtocolVersion.DTLSv12, 13 + id.Length, plain);
        TlsEncodeResult encoded = agreement.ClientCipher.EncodePlaintext(number, type, ProtocolVersion.DTLSv12, 13 + id.Length, plain);
        byte[] record = encoded.buf[encoded.off..(encoded.off + encoded.len)];
        byte[] header = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(header, number);
        int length = record.Length - 13 - id.Length;
        byte[] whole = [(byte)encoded.recordType, 0xFE, 0xFD, .. header, .. id, (byte)(length >> 8), (byte)length];
        whole.CopyTo(record, 0);
        return record;
    }

    private static void Compare(RecordCodec codec, Oracle oracle, byte[] datagram, byte[] input)
    {
        var read = new List<string>();
        byte[] bytes = [.. datagram];
        int offset = 0;
        while (offset < bytes.Length)
        {
            int before = offset;
            RecordKind kind = codec.Read(bytes, ref offset, bytes.Length, out ArraySegment<byte> payload);
            if (offset <= before || offset > bytes.Length) throw new DisagreementException($"From {before} on to {offset} of {bytes.Length}", input);
            string held = kind is RecordKind.Data or RecordKind.Handshake ? Convert.ToHexString(payload) : "";
            read.Add(string.Create(CultureInfo.InvariantCulture, $"{offset}:{kind}:{held}:{codec.IsNewest}"));
        }

        List<string> expected = oracle.Read(datagram);
        if (read.SequenceEqual(expected)) return;
        throw new DisagreementException($"Read as {string.Join(' ', read)} where the oracle reads {string.Join(' ', expected)}", input);
    }

    /// <summary>Knows what the client has sealed, and needs no cipher.</summary>
    private sealed class Oracle(byte[] connectionId)
    {
        private readonly Dictionary<string, (byte Type, byte[] Plain)> _sealed = new(StringComparer.Ordinal);
        private readonly HashSet<ulong> _taken = [];
        private ulong? _highest;

        public void Sealed(byte[] record, byte type, byte[] plain) => _sealed[Convert.ToHexString(record)] = (type, plain);

        public List<string> Read(byte[] datagram)
        {
            var all = new List<string>();
            int at = 0;
            while (at < datagram.Length)
            {
                int header = datagram[at] == 25 ? 13 + connectionId.Length : 13;
                int left = datagram.Length - at;
                int end = left < header ? int.MaxValue : header + (datagram[at + header - 2] * 256) + datagram[at + header - 1];
                byte[]? record = end > left ? null : datagram[at..(at + end)];
                at = end > left ? datagram.Length : at + end;
                (string kind, byte[] held, bool isNewest) = record is null ? ("None", [], false) : Judge(record);
                all.Add(string.Create(CultureInfo.InvariantCulture, $"{at}:{kind}:{Convert.ToHexString(held)}:{isNewest}"));
            }

            return all;
        }

        private (string Kind, byte[] Held, bool IsNewest) Judge(byte[] record)
        {
            (string, byte[], bool) none = ("None", [], false);
            if (!_sealed.TryGetValue(Convert.ToHexString(record), out (byte Type, byte[] Plain) one)) return none;
            // One that was sealed with a type that stands for connection ids, where there are none.
            if ((record[0] == 25) != (connectionId.Length > 0)) return none;
            ulong number = BinaryPrimitives.ReadUInt64BigEndian(record.AsSpan(3));
            if (number >> 48 != 1 || _taken.Contains(number)) return none;
            if (_highest is { } highest && highest >= number + Window) return none;
            (byte type, byte[] held) = one;
            if (connectionId.Length > 0)
            {
                // RFC 9146, 4: what follows the last byte that is not zero is padding, and that byte is the type.
                int last = Array.FindLastIndex([.. held, type], b => b != 0);
                if (last < 0) return none;
                (type, held) = (last == held.Length ? type : held[last], held[..last]);
            }

            bool isNewest = _highest is null || number > _highest;
            if (isNewest) _highest = number;
            _taken.Add(number);
            bool isEnd = type == 21 && held.Length == 2 && (held[0] == 2 || held[1] == 0);
            return type switch
            {
                23 => ("Data", held, isNewest),
                22 => ("Handshake", held, isNewest),
                _ when isEnd => ("End", [], isNewest),
                _ => ("None", [], isNewest),
            };
        }
    }
}
