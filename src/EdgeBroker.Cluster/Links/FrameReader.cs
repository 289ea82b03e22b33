using System.Buffers;
using System.Buffers.Binary;

namespace EdgeBroker.Cluster.Links;

/// <summary>Takes frames.</summary>
internal interface IFrameHandler
{
    /// <summary>Takes a frame, put together from its pieces; false: it breaks the protocol.</summary>
    bool Handle(FrameType type, ReadOnlySpan<byte> body);
}

/// <summary>
/// Cuts what a node sends into frames, and puts those together that come in pieces. No length is believed: a frame is at most <see cref="MaxBodyBytes"/> long,
/// and what comes in pieces at most as long as this node has said it takes.
/// </summary>
/// <param name="mostBytes">Bytes of a body that comes in pieces.</param>
internal sealed class FrameReader(int mostBytes)
{
    /// <summary>Bytes before a frame's body.</summary>
    public const int HeaderBytes = 4;

    /// <summary>Bytes of a frame's body at most.</summary>
    public const int MaxBodyBytes = 64 * 1024;

    /// <summary>Set in the type of a frame that another piece follows.</summary>
    public const byte More = 0x80;

    private readonly byte[] _frame = new byte[HeaderBytes + MaxBodyBytes];
    private readonly Dictionary<FrameType, ArrayBufferWriter<byte>> _pieces = [];
    private int _have;

    /// <summary>Why what came is not a frame; null: it was.</summary>
    public string? Fault { get; private set; }

    /// <summary>Takes bytes as they come.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="handler">Gets each frame that is complete.</param>
    /// <returns>False: the node does not keep to the protocol, and nothing more is to be read from it.</returns>
    public bool Feed(ReadOnlySpan<byte> bytes, IFrameHandler handler)
    {
        while (Fault is null)
        {
            Fill(ref bytes, HeaderBytes);
            if (_have < HeaderBytes) return true;
            int length = (_frame[0] << 16) | (_frame[1] << 8) | _frame[2];
            if (length > MaxBodyBytes) return Fail($"a frame of {length} bytes");
            Fill(ref bytes, HeaderBytes + length);
            if (_have < HeaderBytes + length) return true;
            _have = 0;
            Take(_frame[3], _frame.AsSpan(HeaderBytes, length), handler);
        }

        return false;
    }

    private void Fill(ref ReadOnlySpan<byte> bytes, int upTo)
    {
        int taken = Math.Min(bytes.Length, Math.Max(0, upTo - _have));
        bytes[..taken].CopyTo(_frame.AsSpan(_have));
        bytes = bytes[taken..];
        _have += taken;
    }

    private void Take(byte head, ReadOnlySpan<byte> body, IFrameHandler handler)
    {
        var type = (FrameType)(head & ~More);
        bool isPiece = (head & More) != 0;
        _pieces.TryGetValue(type, out ArrayBufferWriter<byte>? pieces);
        if (isPiece && type is not (FrameType.Message or FrameType.RetainedRow or FrameType.Will))
        {
            Fail($"a frame of type {(byte)type} in pieces");
        }
        else if (isPiece || pieces is not null)
        {
            if (pieces is null) _pieces.Add(type, pieces = new ArrayBufferWriter<byte>());
            if (pieces.WrittenCount + body.Length > mostBytes) Fail($"a message of more than {mostBytes} bytes");
            else Put(type, pieces, body, isPiece, handler);
        }
        else if (!handler.Handle(type, body))
        {
            Fail($"a frame of type {(byte)type} that is not what it should be");
        }
    }

    private void Put(FrameType type, ArrayBufferWriter<byte> pieces, ReadOnlySpan<byte> body, bool isPiece, IFrameHandler handler)
    {
        pieces.Write(body);
        if (isPiece) return;
        _pieces.Remove(type);
        if (!handler.Handle(type, pieces.WrittenSpan)) Fail($"a frame of type {(byte)type} that is not what it should be");
    }

    private bool Fail(string fault)
    {
        Fault ??= fault;
        return false;
    }
}

/// <summary>Writes frames.</summary>
internal static class Frames
{
    // So that what is waited for never stands behind more than this.
    private const int PieceBytes = 32 * 1024;

    /// <summary>A frame, or several pieces of one where the body is long.</summary>
    public static byte[] Of(FrameType type, ReadOnlySpan<byte> body)
    {
        int pieces = Math.Max(1, (body.Length + PieceBytes - 1) / PieceBytes);
        byte[] frames = GC.AllocateUninitializedArray<byte>(body.Length + (pieces * FrameReader.HeaderBytes));
        Span<byte> to = frames;
        while (pieces-- > 0)
        {
            ReadOnlySpan<byte> piece = body[..Math.Min(PieceBytes, body.Length)];
            body = body[piece.Length..];
            BinaryPrimitives.WriteInt32BigEndian(to, (piece.Length << 8) | (byte)type | (pieces > 0 ? FrameReader.More : 0));
            piece.CopyTo(to[FrameReader.HeaderBytes..]);
            to = to[(FrameReader.HeaderBytes + piece.Length)..];
        }

        return frames;
    }

    /// <summary>The length of the piece that begins an array of them, header included.</summary>
    public static int LengthOfFirst(ReadOnlySpan<byte> frames) => FrameReader.HeaderBytes + (BinaryPrimitives.ReadInt32BigEndian(frames) >>> 8);
}
