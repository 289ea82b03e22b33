using EdgeBroker.Security.Verification;

namespace EdgeBroker.Security.Tests.Verification;

public sealed class VerificationCacheTests
{
    [Fact]
    public void A_digest_depends_on_each_part_and_on_where_one_ends()
    {
        var cache = new VerificationCache(10);
        VerificationCache.Digest[] digests =
        [
            cache.DigestOf("ab", "c"u8, "d"), cache.DigestOf("a", "bc"u8, "d"), cache.DigestOf("ab", "cd"u8, ""), cache.DigestOf("ab", ""u8, "cd"),
            cache.DigestOf("ab", "c"u8, "e"),
            new VerificationCache(10).DigestOf("ab", "c"u8, "d"),
        ];
        Assert.Equal(digests.Length, digests.Distinct().Count());
        Assert.Equal(digests[0], cache.DigestOf("ab", "c"u8, "d"));
    }

    [Fact]
    public void It_is_bounded_and_keeps_who_comes_again()
    {
        var cache = new VerificationCache(100);
        VerificationCache.Digest regular = cache.DigestOf("regular", default, "");
        cache.Add(regular, "here");
        for (int i = 0; i < 1_000; i++)
        {
            cache.Add(cache.DigestOf("passer-by", default, i.ToString(System.Globalization.CultureInfo.InvariantCulture)), "gone");
            if (i % 50 == 0) Assert.Equal("here", cache.Find(regular));
        }

        int kept = Enumerable.Range(0, 1_000).Count(
            i => cache.Find(cache.DigestOf("passer-by", default, i.ToString(System.Globalization.CultureInfo.InvariantCulture))) is not null);
        Assert.InRange(kept, 1, 200);
    }

    [Fact]
    public void A_name_is_always_given_the_same_pick()
    {
        var cache = new VerificationCache(10);
        int[] picks = [.. Enumerable.Range(0, 200).Select(i => cache.PickFor("user" + i, 7))];
        Assert.Equal(picks, Enumerable.Range(0, 200).Select(i => cache.PickFor("user" + i, 7)));
        Assert.Equal(7, picks.Distinct().Count());
    }
}
