using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace EdgeBroker.Security.Verification;

/// <summary>
/// What has been verified once, so that a client that comes again is let in without hashing. Keyed by a digest under a key that only this process knows, over
/// the credentials and what they were verified against: an entry is found no more once the user's line or the keys have changed. Bounded; old entries make
/// room.
/// </summary>
/// <param name="capacity">Entries of one age; twice as many at most.</param>
/// <param name="nameKey">The key by which <see cref="PickFor"/> and <see cref="Derive"/> answer; null: one of this process.</param>
public sealed class VerificationCache(int capacity, byte[]? nameKey = null)
{
    private readonly byte[] _nameKey = nameKey ?? RandomNumberGenerator.GetBytes(32);
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly Lock _lock = new();
    private Dictionary<Digest, object> _young = [];
    private Dictionary<Digest, object> _old = [];

    /// <summary>A digest of credentials and of what they are verified against.</summary>
    /// <param name="userName">The name.</param>
    /// <param name="secret">Password or token.</param>
    /// <param name="against">The stored hash, or the generation of the keys.</param>
    public Digest DigestOf(string userName, ReadOnlySpan<byte> secret, string against) => DigestOf(_key, userName, secret, against);

    private static Digest DigestOf(byte[] key, string userName, ReadOnlySpan<byte> secret, string against)
    {
        int most = Encoding.UTF8.GetMaxByteCount(userName.Length) + Encoding.UTF8.GetMaxByteCount(against.Length) + secret.Length + 8;
        byte[] rented = ArrayPool<byte>.Shared.Rent(most);
        // Each part carries its length, so no two triples are the same bytes.
        int length = Append(rented, 0, userName);
        length = Append(rented, length, against);
        secret.CopyTo(rented.AsSpan(length));
        length += secret.Length;
        Span<byte> mac = stackalloc byte[32];
        HMACSHA256.HashData(key, rented.AsSpan(0, length), mac);
        CryptographicOperations.ZeroMemory(rented.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(rented);
        return MemoryMarshal.Read<Digest>(mac);
    }

    /// <summary>A number below a bound that is always the same for a name, and that nobody outside can foretell.</summary>
    public int PickFor(string userName, int bound) => (int)(DigestOf(_nameKey, userName, default, "pick").A % (ulong)bound);

    /// <summary>32 bytes that are always the same for a name and a purpose as long as the key is, and that nobody outside can foretell.</summary>
    public byte[] Derive(string userName, string purpose)
    {
        Digest digest = DigestOf(_nameKey, userName, default, purpose);
        return MemoryMarshal.AsBytes(new ReadOnlySpan<Digest>(in digest)).ToArray();
    }

    /// <summary>What was noted for a digest; null when nothing was, or it had to make room.</summary>
    public object? Find(Digest digest)
    {
        lock (_lock)
        {
            if (_young.TryGetValue(digest, out object? found)) return found;
            if (!_old.Remove(digest, out found)) return null;
            AddLocked(digest, found);
            return found;
        }
    }

    /// <summary>Notes a success.</summary>
    public void Add(Digest digest, object outcome)
    {
        lock (_lock) AddLocked(digest, outcome);
    }

    private void AddLocked(Digest digest, object outcome)
    {
        if (_young.Count >= capacity)
        {
            // Whoever was not seen since the last exchange is forgotten.
            _old = _young;
            _young = [];
        }

        _young[digest] = outcome;
    }

    private static int Append(byte[] into, int at, string text)
    {
        int length = Encoding.UTF8.GetBytes(text, into.AsSpan(at + 4));
        BinaryPrimitives.WriteInt32LittleEndian(into.AsSpan(at), length);
        return at + 4 + length;
    }

    /// <summary>32 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly record struct Digest(ulong A, ulong B, ulong C, ulong D);
}
