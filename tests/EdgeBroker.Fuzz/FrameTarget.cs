using EdgeBroker.Fuzz.Codec;
using EdgeBroker.Fuzz.Naive;
using EdgeBroker.Protocol;

namespace EdgeBroker.Fuzz;

/// <summary>The bytes as a stream: cut whole and byte by byte, under several size limits.</summary>
internal static class FrameTarget
{
    public static void Run(byte[] input)
    {
        foreach (int limit in (ReadOnlySpan<int>)[int.MaxValue, 1024, 16, 1])
        {
            string last = "Incomplete";
            for (int length = 0; length <= input.Length; length++)
            {
                string status = CheckCut(input[..length], limit);
                if (last != "Incomplete" && status != last) throw new DisagreementException($"More bytes change {last} into {status}", input);
                last = status;
            }
        }
    }

    private static string CheckCut(byte[] bytes, int limit)
    {
        string status = Frame.Cut(bytes, limit, out Frame frame, out int announced).ToString();
        (string expected, long length) = NaiveFrame.Cut(bytes, limit);
        if (status != expected || announced != length)
        {
            throw new DisagreementException($"Cut says {status} of {announced} bytes where the oracle says {expected} of {length}", bytes);
        }

        if (status != "Complete") return status;
        bool same = frame.Length == length && frame.Header == bytes[0] && (int)frame.Type == bytes[0] / 16
            && bytes.AsSpan(0, frame.Length).EndsWith(frame.Body)
            && Packet.Compose(frame.Header, frame.Body).AsSpan().SequenceEqual(bytes.AsSpan(0, frame.Length));
        return same ? status : throw new DisagreementException("The frame is not what was cut", bytes);
    }
}
