using System.Globalization;
using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Loops;

/// <summary>
/// What a message that begins here and leaves by several ways is known by: a user property with a number of this process, which no other has, and one of the
/// message: <c>edgebroker-id: 9f86d081884c7d65-2a</c>. So a value that is published twice is two messages, and a copy is one however late it comes. Any thread.
/// </summary>
internal sealed class MessageIdentity
{
    // It need not be a secret: numbers of the cryptographic kind would have every broker load OpenSSL as it starts, which is 0.7 MB.
    private readonly string _process = Random.Shared.NextInt64().ToString("x16", CultureInfo.InvariantCulture);
    private long _last;

    private static ReadOnlySpan<byte> Name => "edgebroker-id"u8;

    /// <summary>A message's identity; empty: it has none.</summary>
    /// <param name="properties">Its encoded properties.</param>
    public static ReadOnlySpan<byte> Of(PropertyBlock properties)
    {
        if (!properties.Has(PropertyId.UserProperty)) return default;
        foreach (Property property in properties)
        {
            if (property.Id == PropertyId.UserProperty && property.Name.SequenceEqual(Name)) return property.Value;
        }

        return default;
    }

    /// <summary>The properties with an identity; null: they have one.</summary>
    /// <param name="properties">Encoded properties.</param>
    public byte[]? Append(ReadOnlySpan<byte> properties)
    {
        // Cheap, and seldom wrong; who is wrongly taken for identified is told apart by its payload as before.
        if (properties.IndexOf(Name) >= 0) return null;
        Span<byte> value = stackalloc byte[40];
        int length = Encoding.UTF8.GetBytes(_process, value);
        value[length++] = (byte)'-';
        Interlocked.Increment(ref _last).TryFormat(value[length..], out int digits, "x", CultureInfo.InvariantCulture);
        PropertyBuilder builder = PropertyBuilder.For(PacketType.Publish, stackalloc byte[128]);
        builder.AddUserProperty(Name, value[..(length + digits)]);
        byte[] longer = [.. properties, .. builder.Block.Bytes];
        builder.Dispose();
        return longer;
    }
}
