using System.Text;
using EdgeBroker.Security.Passwords;

namespace EdgeBroker.Security.Tests.Passwords;

public sealed class PasswordHashTests
{
    /// <summary>Made by mosquitto_passwd, libxcrypt and Python's cryptography.</summary>
    public static TheoryData<string, string> Foreign => new()
    {
        { "geheim-7", "$7$101$fThtKZVSnBW7S7As$QKUeFRGjxyZr+kMNQ32Z1bboT5/ib07OjAABtWTU5/U7b8e1iWYz4uF56+kcSgO0CIIvCKe7s0QuDTAUeVoPow==" },
        { "geheim-6", "$6$CeHgg9kK3vGV+Z6Q$472ddjFjKS246FYdXrye+FTIyYj3UNOUJQqGrdnYMj5TPPtG+LkzFFcUoCRqSlgoXz/IKJT2bxMtwpfMWjzT1w==" },
        { "geheim-2", "$2b$06$abcdefghijklmnopqrstuumcEXAyzg5EVdt2Eb5dExL.arjO.Swk6" },
        { "geheim-2", "$2y$06$abcdefghijklmnopqrstuumcEXAyzg5EVdt2Eb5dExL.arjO.Swk6" },
        { "pencil", "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=" },
    };

    [Theory]
    [MemberData(nameof(Foreign))]
    public void Hashes_made_elsewhere_are_verified(string password, string text)
    {
        Assert.True(PasswordHash.TryParse(text, out PasswordHash hash, out string problem), problem);
        Assert.Equal(text, hash.Text);
        Assert.True(hash.Verify(Encoding.UTF8.GetBytes(password)));
        foreach (string wrong in new[] { "", "geheim", password + "x", password + "\0", password.ToUpperInvariant() })
        {
            Assert.False(hash.Verify(Encoding.UTF8.GetBytes(wrong)), wrong);
        }

        Assert.False(hash.Verify([0xFF, 0xFE]));
    }

    [Fact]
    public void New_hashes_verify_and_differ_each_time()
    {
        foreach (Func<PasswordHash> make in new Func<PasswordHash>[] { () => PasswordHash.Bcrypt("grün 7", 4), () => PasswordHash.Scram("grün 7", 4096) })
        {
            PasswordHash one = make();
            Assert.True(PasswordHash.TryParse(one.Text, out PasswordHash read, out string problem), problem);
            Assert.True(read.Verify("grün 7"u8));
            Assert.False(read.Verify("grun 7"u8));
            Assert.NotEqual(one.Text, make().Text);
        }
    }

    [Fact]
    public void SCRAM_takes_a_password_in_every_spelling_that_is_the_same_and_none_that_it_cannot_prepare()
    {
        PasswordHash hash = PasswordHash.Scram("a b", 4096);
        Assert.True(hash.Verify("a\u00A0\u00ADb"u8));
        Assert.False(hash.Verify("a\u0308 b"u8));
        Assert.False(hash.Verify(new byte[PasswordHash.MaxPasswordBytes + 1]));
        foreach (string impossible in new[] { "", "a\u0007", "a\u0308", "-\u200B" })
        {
            Assert.Throws<ArgumentException>(() => PasswordHash.Scram(impossible, 4096));
        }

        // What stands in for an impossible password is not let in.
        Assert.False(PasswordHash.Scram("-", 4096).Verify("\u0007"u8));
    }

    [Fact]
    public void What_bcrypt_would_ignore_is_not_let_through()
    {
        string longest = new('a', 72);
        PasswordHash hash = PasswordHash.Bcrypt(longest, 4);
        Assert.True(hash.Verify(Encoding.UTF8.GetBytes(longest)));
        Assert.False(hash.Verify(Encoding.UTF8.GetBytes(longest + "b")));
        Assert.Throws<ArgumentException>(() => PasswordHash.Bcrypt(longest + "b", 4));
        // What is no text must not fall together with other text that is none.
        Assert.False(PasswordHash.Bcrypt("\uFFFD", 4).Verify([0xFF]));
    }

    [Theory]
    [InlineData("", "no password hash behind the colon")]
    [InlineData("secret", "a password in clear?")]
    [InlineData("$1$salt$hash", "a hash of an unknown kind")]
    [InlineData("$argon2id$v=19$m=64,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$fDIx/BK37R6AYV94kvWuJ3/ntr2Vz7MuDG6ihlhz66E", "Argon2 is not supported")]
    [InlineData("$argon2i$v=19$m=64,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$fDIx/BK37R6AYV94kvWuJ3/ntr2Vz7MuDG6ihlhz66E", "Argon2 is not supported")]
    [InlineData("$2b$10$short", "a bcrypt hash that is cut off")]
    [InlineData("$2b$06$abcdefghijklmnopqrstuumcEXAyzg5EVdt2Eb5dExL.arjO.Swk=", "a bcrypt hash that is cut off")]
    [InlineData("$2b$31$abcdefghijklmnopqrstuumcEXAyzg5EVdt2Eb5dExL.arjO.Swk6", "of cost 31; expected 4 to 15")]
    [InlineData(
        "$7$101\0$fThtKZVSnBW7S7As$QKUeFRGjxyZr+kMNQ32Z1bboT5/ib07OjAABtWTU5/U7b8e1iWYz4uF56+kcSgO0CIIvCKe7s0QuDTAUeVoPow==", "a $7$ hash that is cut off")]
    [InlineData("$7$0$fThtKZVSnBW7S7As$QKUeFRGjxyZr+kMNQ32Z1bboT5/ib07OjAABtWTU5/U7b8e1iWYz4uF56+kcSgO0CIIvCKe7s0QuDTAUeVoPow==", "of 0 iterations")]
    [InlineData("$7$101$fThtKZVSnBW7S7As$QKUe", "a $7$ hash that is cut off")]
    [InlineData("$6$CeHgg9kK3vGV+Z6Q", "a $6$ hash that is cut off")]
    [InlineData("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=", "SCRAM credentials that are cut off")]
    [InlineData(
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4q=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM credentials that are cut off")]
    [InlineData(
        "SCRAM-SHA-256$4096:W22Z$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM credentials that are cut off")]
    [InlineData(
        "SCRAM-SHA-256$4095:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "of 4095 iterations")]
    [InlineData(
        "SCRAM-SHA-256$5000001:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "of 5000001 iterations")]
    [InlineData("SCRAM-SHA-1$4096:W22ZaJ0SNY7soEsUEjb6gQ==$a:b", "a hash of an unknown kind")]
    public void What_is_no_hash_is_explained_and_not_shown(string text, string expected)
    {
        Assert.False(PasswordHash.TryParse(text, out _, out string problem));
        Assert.Contains(expected, problem, StringComparison.Ordinal);
        if (text.Length > 0) Assert.DoesNotContain(text, problem, StringComparison.Ordinal);
    }
}
