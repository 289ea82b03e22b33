using System.Text;
using EdgeBroker.Security.Passwords;

namespace EdgeBroker.Security.Tests.Passwords;

public sealed class PasswordFileTests
{
    private const string Hash = "$2b$06$abcdefghijklmnopqrstuumcEXAyzg5EVdt2Eb5dExL.arjO.Swk6";

    [Fact]
    public void Users_comments_and_empty_lines()
    {
        var problems = new List<FileProblem>();
        PasswordFile file = PasswordFile.Parse($"# users\nanna:{Hash}\r\n\n  \nbert müller:{Hash}\n", problems);
        Assert.Empty(problems);
        Assert.Equal([("anna", 2), ("bert müller", 5)], file.Entries.Select(entry => (entry.UserName, entry.Line)));
        Assert.NotNull(file.Find("bert müller"));
        Assert.Null(file.Find("Anna"));
    }

    [Fact]
    public void Every_bad_line_is_named_and_no_secret_with_it()
    {
        var problems = new List<FileProblem>();
        PasswordFile file = PasswordFile.Parse(
            $"geheim1\n:{Hash}\nanna:geheim2\nbert:{Hash}\nbert:{Hash}\n x:{Hash}\nc\u0001:{Hash}\n{new string('n', 257)}:{Hash}\n", problems);
        Assert.Equal("bert", Assert.Single(file.Entries).UserName);
        Assert.Equal([1, 2, 3, 5, 6, 7, 8], problems.Select(problem => problem.Line));
        Assert.Equal("no colon between user name and password hash; expected user:hash", problems[0].Text);
        Assert.Equal("the user name is empty", problems[1].Text);
        Assert.StartsWith("user \"anna\": not a password hash (a password in clear?); make the line with", problems[2].Text, StringComparison.Ordinal);
        Assert.Equal("user \"bert\" stands in line 4 already; remove one of the two", problems[3].Text);
        Assert.DoesNotContain(problems, problem => problem.Text.Contains("geheim", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_no_text_is_named_by_its_line()
    {
        var problems = new List<FileProblem>();
        PasswordFile.Parse([.. Encoding.UTF8.GetBytes($"anna:{Hash}\nb"), 0xFF, (byte)'\n'], problems);
        Assert.Equal([new FileProblem(2, "is not UTF-8 text; save the file as UTF-8")], problems);
    }

    [Fact]
    public void A_line_is_set_and_removed_and_all_others_stay()
    {
        Assert.True(PasswordHash.TryParse(Hash, out PasswordHash hash, out _));
        const string before = "# users\nann:x\nanna:old\nbroken\nanna:older\n";
        Assert.Equal($"# users\nann:x\nanna:{Hash}\nbroken\n", PasswordFileEdit.Set(before, "anna", hash, out bool replaced));
        Assert.True(replaced);
        Assert.Equal($"{before}zoe:{Hash}\n", PasswordFileEdit.Set(before, "zoe", hash, out replaced));
        Assert.False(replaced);
        Assert.Equal($"end\nzoe:{Hash}\n", PasswordFileEdit.Set("end", "zoe", hash, out _));
        Assert.Equal("# users\nann:x\nbroken\n", PasswordFileEdit.Remove(before, "anna", out bool found));
        Assert.True(found);
        Assert.Equal(before, PasswordFileEdit.Remove(before, "an", out found));
        Assert.False(found);
    }
}
