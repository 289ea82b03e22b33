using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Core.Cluster;

namespace EdgeBroker.Cluster.Ownership;

/// <summary>What a node has of a client, as it tells the others.</summary>
internal enum SessionKind : byte
{
    /// <summary>A session that its client is about to begin there, once all linked nodes know.</summary>
    Claimed = 1,

    /// <summary>A session that outlives its connection.</summary>
    Kept = 2,

    /// <summary>One that was passed over: a newer one of its client is on another node.</summary>
    Frozen = 3,

    /// <summary>A connection whose session ends with it. Acted upon and forgotten.</summary>
    Connection = 4,

    /// <summary>Nothing any more; older sessions of its client, those below the stamp, are over everywhere.</summary>
    Gone = 5,

    /// <summary>Its client wants nothing of older sessions, those below the stamp, wherever they are.</summary>
    Void = 6,
}

/// <summary>What a node has of a client.</summary>
/// <param name="ClientId">The client id.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Stamp">When its last connection was accepted; of what is gone: below what older ones are over, or none.</param>
/// <param name="User">The mark of the user whose it is.</param>
internal readonly record struct SessionEntry(string ClientId, SessionKind Kind, Stamp Stamp, UInt128 User)
{
    /// <summary>The mark of anonymous clients.</summary>
    public static readonly UInt128 Nobody = UInt128.Zero;

    /// <summary>The mark where the user is not known any more, and does not matter.</summary>
    public static readonly UInt128 Anybody = UInt128.MaxValue;

    /// <summary>The mark of a user.</summary>
    public static UInt128 MarkOf(string? userName)
    {
        if (userName is null) return Nobody;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(userName), hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    /// <summary>
    /// Which of two of one client stays. The newer one; but a named user's is not taken away by another user, as in a single broker. Both sides decide alike.
    /// </summary>
    public bool Beats(in SessionEntry other) => Stamp.Value > other.Stamp.Value ? !other.IsKeptFrom(User) : IsKeptFrom(other.User);

    /// <summary>Whether it is a named user's, and the other another one.</summary>
    public bool IsKeptFrom(UInt128 user) => User != Nobody && User != Anybody && user != Anybody && user != User;
}
