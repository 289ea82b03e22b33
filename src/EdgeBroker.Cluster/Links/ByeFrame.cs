using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Links;

/// <summary>The last frame of a link: why it ends, in words for the other's log.</summary>
internal static class ByeFrame
{
    private const int MostBytes = 512;

    public static byte[] Write(string cause) => Frames.Of(FrameType.Bye, Utf8Text.Cut(Encoding.UTF8.GetBytes(cause), MostBytes));

    /// <summary>The words; what would disturb a log is left out.</summary>
    public static string Read(ReadOnlySpan<byte> bytes)
    {
        string text = Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, MostBytes)]);
        return new string([.. text.Where(one => !char.IsControl(one))]);
    }
}
