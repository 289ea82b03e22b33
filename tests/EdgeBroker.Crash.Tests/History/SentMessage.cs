namespace EdgeBroker.Crash.Tests.History;

/// <summary>A message that a publisher sent. Its payload names it, so that whoever receives it can say which it is.</summary>
/// <param name="Publisher">The publisher's client number.</param>
/// <param name="Number">The publisher's count of its messages.</param>
/// <param name="Topic">Where it was sent.</param>
/// <param name="QoS">How it was sent.</param>
/// <param name="Retain">Whether it is its topic's value.</param>
/// <param name="Bytes">The payload's length; 0: it clears its topic's value.</param>
public sealed record SentMessage(int Publisher, int Number, string Topic, int QoS, bool Retain, int Bytes)
{
    /// <summary>The payload: its name, and a filling that follows from it.</summary>
    public byte[] Payload()
    {
        var payload = new byte[Bytes];
        if (Bytes == 0) return payload;
        byte[] name = System.Text.Encoding.ASCII.GetBytes(Name(Publisher, Number));
        name.CopyTo(payload, 0);
        for (int i = name.Length; i < Bytes; i++) payload[i] = (byte)('a' + (((Number * 31) + i) % 26));
        return payload;
    }

    /// <summary>The least length of a payload.</summary>
    public static int LeastBytes(int publisher, int number) => Name(publisher, number).Length;

    /// <summary>Reads a payload's name.</summary>
    public static bool TryReadName(ReadOnlySpan<byte> payload, out int publisher, out int number)
    {
        number = 0;
        int colon = payload.IndexOf((byte)':');
        int end = payload.IndexOf((byte)';');
        publisher = 0;
        return colon > 0 && end > colon && int.TryParse(payload[..colon], out publisher) && int.TryParse(payload[(colon + 1)..end], out number);
    }

    public override string ToString() => $"[{Publisher}:{Number} {Topic} QoS {QoS}{(Retain ? " retain" : "")} {Bytes} bytes]";

    private static string Name(int publisher, int number) => $"{publisher}:{number};";
}
