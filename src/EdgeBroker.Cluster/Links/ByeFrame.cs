using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Links;

/// <summary>The last frame of a link: why it ends, in words for the other's log.</summary>
internal static class ByeFrame
{
    private const int MostBytes = 512;
    private const byte Removed = 1;

    /// <summary>Writes one.</summary>
    /// <param name="cause">Why the link ends.</param>
    /// <param name="isRemoved">Whether the other is no member of the cluster any more.</param>
    public static byte[] Write(string cause, bool isRemoved = false) =>
        Frames.Of(FrameType.Bye, [isRemoved ? Removed : (byte)0, .. Utf8Text.Cut(Encoding.UTF8.GetBytes(cause), MostBytes)]);

    /// <summary>The words; what would disturb a log is left out.</summary>
    /// <param name="bytes">The body.</param>
    /// <param name="isRemoved">Whether this node is no member of the cluster any more.</param>
    public static string Read(ReadOnlySpan<byte> bytes, out bool isRemoved)
    {
        isRemoved = bytes is [Removed, ..];
        if (!bytes.IsEmpty) bytes = bytes[1..];
        string text = Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, MostBytes)]);
        return new string([.. text.Where(one => !char.IsControl(one))]);
    }
}
