using EdgeBroker.Core;
using EdgeBroker.Core.Sessions;

namespace EdgeBroker.Storage.Rows;

/// <summary>A session's queue policy as a blob.</summary>
internal static class QueuePolicyBlob
{
    /// <summary>The longest a message may be let wait by a policy, in milliseconds: what a TimeSpan holds.</summary>
    public const long LongestAgeMs = long.MaxValue / TimeSpan.TicksPerMillisecond;

    public static byte[] Of(QueuePolicy policy)
    {
        var blob = new BlobWriter();
        blob.Number(policy.MaxMessages);
        blob.Number(policy.MaxBytes);
        blob.Number(policy.MaxAge is { } age ? (long)age.TotalMilliseconds + 1 : 0);
        blob.Number(policy.MaxStoreBytes is { } bytes ? bytes + 1 : 0);
        blob.Byte((byte)policy.Overflow);
        blob.Byte(policy.KeepsQoS0 ? (byte)1 : (byte)0);
        return blob.ToArray();
    }

    /// <summary>The policy; null when the blob is damaged.</summary>
    public static QueuePolicy? Read(ReadOnlySpan<byte> bytes)
    {
        var blob = new BlobReader(bytes);
        long maxMessages = blob.Number();
        long maxBytes = blob.Number();
        long age = blob.Number();
        long storeBytes = blob.Number();
        var overflow = (QueueOverflow)blob.Byte();
        byte keepsQoS0 = blob.Byte();
        if (blob.IsDamaged || !blob.IsAtEnd || maxMessages is < 0 or > int.MaxValue || maxBytes < 0 || age is < 0 or > LongestAgeMs + 1 || storeBytes < 0
            || !Enum.IsDefined(overflow) || keepsQoS0 > 1)
        {
            return null;
        }

        return new QueuePolicy(
            (int)maxMessages,
            maxBytes,
            age == 0 ? null : TimeSpan.FromMilliseconds(age - 1),
            storeBytes == 0 ? null : storeBytes - 1,
            overflow,
            keepsQoS0 != 0);
    }
}
