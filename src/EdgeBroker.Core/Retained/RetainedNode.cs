using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EdgeBroker.Core.Cluster;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Retained;

/// <summary>One level of the tree of retained messages, in a block; its text follows. Others are known by their handles, 0: none.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RetainedNode
{
    public uint Parent;
    public uint FirstChild;

    // Of the same parent; before the first stands the last, behind the last none.
    public uint Previous;
    public uint Next;

    // In the index.
    public uint NextInBucket;
    public int Hash;

    /// <summary>The topic's last value, or its tombstone.</summary>
    public uint Value;

    /// <summary>Walks that stand on it.</summary>
    public int Walks;
    public ushort LevelLength;

    /// <summary>The level's text, UTF-8.</summary>
    public static unsafe Span<byte> LevelOf(ref RetainedNode node) => new((RetainedNode*)Unsafe.AsPointer(ref node) + 1, node.LevelLength);
}

/// <summary>What stands before a value's payload and properties in its block.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RetainedHead
{
    /// <summary>Its place in the order of all retained messages.</summary>
    public long Ordinal;

    /// <summary>When it expires, as <see cref="Messages.Message.ExpiresAtMs"/>.</summary>
    public long ExpiresAtMs;
    public Stamp Stamp;
    public int PayloadLength;
    public int PropertiesLength;
    public QoS QoS;
    public bool Retain;

    /// <summary>The number of the <see cref="Limits.Holder"/> on whose account it is; 0: nobody's.</summary>
    public int HolderId;

    /// <summary>Whether it is no value, but says which are older.</summary>
    public readonly bool IsTombstone => PayloadLength == 0 && !Stamp.IsNone;
}
