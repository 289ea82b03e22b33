using System.Security.Cryptography;
using EdgeBroker.Http.Tests.Rig;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Http.Tests.Tls;

/// <summary>Revocation lists, good ones and others.</summary>
public sealed class RevocationListTests
{
    private readonly TestAuthority _authority = new();

    [Fact]
    public void It_tells_what_is_revoked_and_until_when_it_holds()
    {
        Issued lost = _authority.Client("CN=lost");
        Issued kept = _authority.Client("CN=kept");
        RevocationList list = RevocationList.Read(_authority.RevokeDer(20, lost), [_authority.Certificate]);
        Assert.Equal(1, list.Count);
        Assert.True(list.IsFor(lost.Certificate) && list.Revokes(lost.Certificate));
        Assert.False(list.Revokes(kept.Certificate));
        Assert.False(list.IsFor(new TestAuthority("Another").Client("CN=x").Certificate));
        Assert.InRange((list.NextUpdate!.Value - TestAuthority.Now).TotalDays, 19, 20);
    }

    [Fact]
    public void One_that_another_has_signed_is_refused()
    {
        // Of the same name, so that only the signature tells.
        byte[] encoded = _authority.RevokeDer(20);
        CryptographicException refusal = Assert.Throws<CryptographicException>(() => RevocationList.Read(encoded, [new TestAuthority().Certificate]));
        Assert.Contains("and not signed by it", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_byte_is_changed_it_is_refused_and_nothing_else_happens()
    {
        byte[] good = _authority.RevokeDer(20, _authority.Client("CN=lost"));
        var random = new Random(7);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] changed = [.. good];
            int at = random.Next(changed.Length);
            changed[at] ^= (byte)random.Next(1, 256);
            int length = random.Next(8) == 0 ? random.Next(changed.Length) : changed.Length;
            try
            {
                // A change that an ECDSA signature does not notice would be in how it is encoded, and DER has one way.
                RevocationList.Read(changed[..length], [_authority.Certificate]);
                Assert.Fail($"byte {at} of {Convert.ToHexString(good)} may be {changed[at]}");
            }
            catch (CryptographicException)
            {
            }
        }
    }
}
