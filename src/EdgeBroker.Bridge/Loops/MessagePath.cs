using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Bridge.Loops;

/// <summary>
/// The way a message has come, as a user property that every broker it leaves adds its name to: <c>edgebroker-path: gw-1,plant</c>. A message that has been
/// here comes back no more, and none comes through more brokers than allowed. Any thread.
/// </summary>
/// <param name="node">This broker's name, which no other broker has.</param>
/// <param name="maximumHops">Brokers a message may have come through.</param>
internal sealed class MessagePath(string node, int maximumHops)
{
    private const byte Separator = (byte)',';

    private readonly byte[] _node = Encoding.UTF8.GetBytes(node.Replace(',', '_'));

    // What nearly every message leaves with.
    private readonly byte[] _alone = Encode(Encoding.UTF8.GetBytes(node.Replace(',', '_')));

    private static ReadOnlySpan<byte> Name => "edgebroker-path"u8;

    /// <summary>Whether a message may carry a path: cheap, and seldom wrong.</summary>
    /// <param name="properties">Its encoded properties.</param>
    public static bool IsIn(ReadOnlySpan<byte> properties) => properties.IndexOf(Name) >= 0;

    /// <summary>Whether a message has been here, or has come through as many brokers as it may.</summary>
    public bool IsLoop(PropertyBlock properties)
    {
        ReadOnlySpan<byte> path = PathOf(properties);
        if (path.IsEmpty) return false;
        int hops = 0;
        while (!path.IsEmpty)
        {
            int end = path.IndexOf(Separator);
            ReadOnlySpan<byte> one = end < 0 ? path : path[..end];
            if (one.SequenceEqual(_node)) return true;
            path = end < 0 ? default : path[(end + 1)..];
            hops++;
        }

        return hops > maximumHops;
    }

    /// <summary>Whether a message may go further than here.</summary>
    /// <param name="properties">Its encoded properties.</param>
    public bool MayGoOn(ReadOnlySpan<byte> properties)
    {
        if (properties.IsEmpty || properties.IndexOf(Name) < 0 || !PropertyBlock.TryRead(properties, out PropertyBlock block)) return true;
        ReadOnlySpan<byte> path = PathOf(block);
        return path.IsEmpty || (path.Count(Separator) + 1 < maximumHops && !IsLoop(block));
    }

    /// <summary>The broker at which a message began; empty: unknown.</summary>
    public static ReadOnlySpan<byte> OriginOf(PropertyBlock properties)
    {
        ReadOnlySpan<byte> path = PathOf(properties);
        int end = path.IndexOf(Separator);
        return end < 0 ? path : path[..end];
    }

    /// <summary>The properties of a message that leaves here: with this broker at the end of its path. Not to be changed.</summary>
    /// <param name="properties">Its encoded properties.</param>
    public byte[] Append(ReadOnlySpan<byte> properties)
    {
        if (properties.IsEmpty) return _alone;
        ReadOnlySpan<byte> before = default;
        if (properties.IndexOf(Name) >= 0 && PropertyBlock.TryRead(properties, out PropertyBlock block)) before = PathOf(block);
        if (before.IsEmpty) return [.. properties, .. _alone];
        byte[] longer = [.. before, Separator, .. _node];
        PropertyBuilder builder = PropertyBuilder.For(PacketType.Publish, stackalloc byte[512]);
        PropertyBlock.TryRead(properties, out PropertyBlock known);
        bool isReplaced = false;
        foreach (Property property in known)
        {
            if (property.Id != PropertyId.UserProperty) Copy(ref builder, property);
            else if (!property.Name.SequenceEqual(Name)) builder.AddUserProperty(property.Name, property.Value);
            else if (!isReplaced) builder.AddUserProperty(Name, longer);
            isReplaced |= property.Id == PropertyId.UserProperty && property.Name.SequenceEqual(Name);
        }

        byte[] result = builder.Block.Bytes.ToArray();
        builder.Dispose();
        return result;
    }

    private static ReadOnlySpan<byte> PathOf(PropertyBlock properties)
    {
        if (!properties.Has(PropertyId.UserProperty)) return default;
        foreach (Property property in properties)
        {
            if (property.Id == PropertyId.UserProperty && property.Name.SequenceEqual(Name)) return property.Value;
        }

        return default;
    }

    private static void Copy(ref PropertyBuilder builder, Property property)
    {
        if (property.Id is PropertyId.PayloadFormatIndicator or PropertyId.MessageExpiryInterval) builder.Add(property.Id, property.Number);
        else builder.Add(property.Id, property.Value);
    }

    private static byte[] Encode(ReadOnlySpan<byte> path)
    {
        PropertyBuilder builder = PropertyBuilder.For(PacketType.Publish, stackalloc byte[256]);
        builder.AddUserProperty(Name, path);
        byte[] encoded = builder.Block.Bytes.ToArray();
        builder.Dispose();
        return encoded;
    }
}
