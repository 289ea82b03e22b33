using System.Globalization;
using System.Security.Cryptography;
using Konscious.Security.Cryptography;

namespace EdgeBroker.Security.Passwords;

/// <summary>Argon2id as a PHC string: <c>$argon2id$v=19$m=19456,t=2,p=1$salt$hash</c>, base64 without padding.</summary>
internal sealed class Argon2Hash : PasswordHash
{
    private const int NewMemoryKiB = 19 * 1024;
    private const int NewPasses = 2;
    private const int MaxMemoryKiB = 256 * 1024;
    private const int MaxPasses = 16;
    private const int MaxLanes = 8;

    private readonly int _memoryKiB;
    private readonly int _passes;
    private readonly int _lanes;
    private readonly byte[] _salt;
    private readonly byte[] _hash;

    private Argon2Hash(string text, int memoryKiB, int passes, int lanes, byte[] salt, byte[] hash)
        : base(text)
    {
        _memoryKiB = memoryKiB;
        _passes = passes;
        _lanes = lanes;
        _salt = salt;
        _hash = hash;
    }

    public static Argon2Hash Make(byte[] password)
    {
        byte[] salt = RandomNumberGenerator.GetBytes(16);
        byte[] hash = Compute(password, salt, NewMemoryKiB, NewPasses, 1, 32);
        string text = string.Create(CultureInfo.InvariantCulture, $"$argon2id$v=19$m={NewMemoryKiB},t={NewPasses},p=1${Encode(salt)}${Encode(hash)}");
        return new Argon2Hash(text, NewMemoryKiB, NewPasses, 1, salt, hash);
    }

    public static Argon2Hash? Parse(string text, out string problem)
    {
        problem = "an Argon2id hash that is cut off or changed; expected $argon2id$v=19$m=...,t=...,p=...$salt$hash";
        string[] parts = text.Split('$');
        if (parts.Length != 6 || parts[2] != "v=19") return null;
        string[] costs = parts[3].Split(',');
        if (costs.Length != 3 || !TryRead(costs[0], "m=", out int memory)
            || !TryRead(costs[1], "t=", out int passes) || !TryRead(costs[2], "p=", out int lanes))
        {
            return null;
        }

        if (Decode(parts[4], 8, 64) is not { } salt || Decode(parts[5], 16, 64) is not { } hash) return null;
        problem = $"an Argon2id hash that costs too much or too little; at most m={MaxMemoryKiB},t={MaxPasses},p={MaxLanes}, and m at least 8 for each lane";
        if (passes is < 1 or > MaxPasses || lanes is < 1 or > MaxLanes || memory < 8 * lanes || memory > MaxMemoryKiB) return null;
        return new Argon2Hash(text, memory, passes, lanes, salt, hash);
    }

    public override int VerifyBytes => _memoryKiB * 1024;

    public override bool Verify(ReadOnlySpan<byte> password)
    {
        bool isPlausible = password.Length is > 0 and <= MaxPasswordBytes;
        byte[] copy = isPlausible ? password.ToArray() : [0];
        byte[] hash = Compute(copy, _salt, _memoryKiB, _passes, _lanes, _hash.Length);
        CryptographicOperations.ZeroMemory(copy);
        return CryptographicOperations.FixedTimeEquals(hash, _hash) & isPlausible;
    }

    private static byte[] Compute(byte[] password, byte[] salt, int memoryKiB, int passes, int lanes, int length)
    {
        using var argon = new Argon2id(password) { Salt = salt, MemorySize = memoryKiB, Iterations = passes, DegreeOfParallelism = lanes };
        return argon.GetBytes(length);
    }

    private static bool TryRead(string part, string name, out int value)
    {
        value = 0;
        return part.StartsWith(name, StringComparison.Ordinal) && TryReadNumber(part.AsSpan(name.Length), out value);
    }

    private static string Encode(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=');
}
