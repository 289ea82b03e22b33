namespace EdgeBroker.Bench;

/// <summary>Makes the PUBLISH packets of one publisher.</summary>
internal abstract class MessageSource
{
    /// <summary>Bytes of the longest packet.</summary>
    public abstract int MaxPacketBytes { get; }

    /// <summary>Writes the next packet and returns its length.</summary>
    /// <param name="destination">At least <see cref="MaxPacketBytes"/>.</param>
    /// <param name="stamp">What goes to the front of the payload.</param>
    /// <param name="packetId">Its identifier; not written at QoS 0.</param>
    /// <param name="deliveries">How many deliveries it must cause.</param>
    public abstract int Write(Span<byte> destination, in MessageStamp stamp, ushort packetId, out int deliveries);

    /// <summary>Has the next message give its topic an alias, and those behind it use that.</summary>
    public virtual void UseAlias() => throw new NotSupportedException("More topics than one.");
}
