using System.Buffers.Binary;

namespace EdgeBroker.Webhooks.Events;

/// <summary>
/// Makes ULIDs: 48 bits of time, 40 that are random for this run of the broker, 40 that count. So they sort by time, and no random number is drawn for each.
/// </summary>
internal sealed class EventIds
{
    // Crockford's base 32.
    private const string Digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int Length = 26;
    private const ulong Mask40 = (1UL << 40) - 1;

    private readonly ulong _run;
    private long _last;

    public EventIds()
    {
        // Random bytes of the kernel's: .NET's generator takes OpenSSL, which a broker with plain receivers does without.
        Span<byte> random = stackalloc byte[16];
        Guid.NewGuid().TryWriteBytes(random);
        _run = BinaryPrimitives.ReadUInt64BigEndian(random[8..]) & Mask40;
    }

    /// <summary>The number of the next id.</summary>
    public long Next() => Interlocked.Increment(ref _last);

    /// <summary>The id of a number.</summary>
    public string Of(DateTimeOffset at, long number)
    {
        UInt128 value = ((UInt128)(ulong)at.ToUnixTimeMilliseconds() << 80) | ((UInt128)_run << 40) | ((ulong)number & Mask40);
        return string.Create(Length, value, static (text, rest) =>
        {
            for (int i = Length - 1; i >= 0; i--)
            {
                text[i] = Digits[(int)(rest & 31)];
                rest >>= 5;
            }
        });
    }
}
