using EdgeBroker.Security.Passwords;

namespace EdgeBroker.Cli.Tests.Access;

/// <summary><c>passwd</c>, from words to files, output and exit code.</summary>
public sealed class PasswdTests : IDisposable
{
    private readonly Terminal _terminal = new();

    public void Dispose() => _terminal.Dispose();

    [Theory]
    [InlineData("--cost", "4")]
    [InlineData("--scram", "--iterations", "4096")]
    public void A_user_is_added_changed_verified_listed_and_removed(params string[] kind)
    {
        Assert.Equal(0, RunWith("geheim", ["passwd", "add", "--stdin", .. kind, "users", "anna"]));
        Assert.Equal("anna added; a running broker takes it by itself (with auth.watch_password_file = false: by \"edgebroker reload\")\n", _terminal.Out);
        // The folder is its owner's alone, and so is what is made in it.
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_terminal.PathOf("users")));
        Assert.Equal(0, RunWith("geheim", "passwd", "verify", "--stdin", "users", "anna"));
        Assert.Equal(1, RunWith("falsch", "passwd", "verify", "--stdin", "users", "anna"));
        Assert.Equal(1, RunWith("geheim", "passwd", "verify", "--stdin", "users", "zoe"));
        File.SetUnixFileMode(_terminal.PathOf("users"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.Equal(0, RunWith("neu", ["passwd", "add", "--stdin", .. kind, "users", "anna"]));
        Assert.Equal(
            "anna has a new password; a running broker takes it by itself (with auth.watch_password_file = false: by \"edgebroker reload\")\n", _terminal.Out);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(_terminal.PathOf("users")));
        Assert.Equal(0, RunWith("neu", "passwd", "verify", "--stdin", "users", "anna"));
        Assert.Equal(0, RunWith("b", ["passwd", "add", "--stdin", .. kind, "users", "bert"]));
        Assert.Equal(0, RunWith("", "passwd", "list", "users"));
        Assert.Equal("anna\nbert\n", _terminal.Out);
        Assert.Equal(0, RunWith("", "passwd", "list", "users", "--json"));
        Assert.Equal("{\"users\":[\"anna\",\"bert\"]}\n", _terminal.Out);
        Assert.Equal(0, RunWith("", "passwd", "remove", "users", "anna"));
        Assert.Equal(1, RunWith("", "passwd", "remove", "users", "anna"));
        Assert.Equal("edgebroker passwd remove: there is no user \"anna\" in users\n", _terminal.Error);
        Assert.Equal(["users"], Directory.GetFileSystemEntries(_terminal.Folder).Select(Path.GetFileName));
    }

    [Fact]
    public void At_a_terminal_a_password_is_asked_for_twice()
    {
        _terminal.Typed.Enqueue("geheim");
        _terminal.Typed.Enqueue("geheim");
        Assert.Equal(0, _terminal.Run("passwd", "add", "--cost", "4", "users", "anna"));
        _terminal.Typed.Enqueue("geheim");
        _terminal.Typed.Enqueue("gehiem");
        Assert.Equal(1, _terminal.Run("passwd", "add", "--cost", "4", "users", "anna"));
        Assert.Equal("edgebroker passwd add: the two are not the same\n", _terminal.Error);
        Assert.Equal(64, _terminal.Run("passwd", "add", "users", "anna"));
        Assert.StartsWith("edgebroker passwd add: there is no terminal to ask for the password at; give it on stdin with --stdin", _terminal.Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_hash_is_printed_for_a_file_kept_elsewhere()
    {
        Assert.Equal(0, RunWith("geheim", "passwd", "hash", "--stdin", "--cost", "4"));
        Assert.True(PasswordHash.TryParse(_terminal.Out.TrimEnd(), out PasswordHash hash, out _));
        Assert.True(hash.Verify("geheim"u8));
    }

    [Fact]
    public void A_line_that_is_no_hash_is_mended_and_others_like_it_are_named()
    {
        _terminal.Write("users", "# ours\nanna:klartext\nbert:klartext\n");
        Assert.Equal(0, RunWith("geheim", "passwd", "add", "--stdin", "--cost", "4", "users", "anna"));
        Assert.StartsWith("users:3: user \"bert\": not a password hash", _terminal.Error, StringComparison.Ordinal);
        Assert.StartsWith("# ours\nanna:$2", File.ReadAllText(_terminal.PathOf("users")), StringComparison.Ordinal);
        Assert.Equal(1, RunWith("", "passwd", "list", "users"));
    }

    [Fact]
    public void A_link_stays_one_and_two_changes_at_once_are_not_made()
    {
        _terminal.Write("real", "");
        File.CreateSymbolicLink(_terminal.PathOf("users"), "real");
        Assert.Equal(0, RunWith("geheim", "passwd", "add", "--stdin", "--cost", "4", "users", "anna"));
        Assert.NotNull(new FileInfo(_terminal.PathOf("users")).LinkTarget);
        Assert.StartsWith("anna:", File.ReadAllText(_terminal.PathOf("real")), StringComparison.Ordinal);
        _terminal.Write("real.new", "");
        Assert.Equal(1, RunWith("geheim", "passwd", "add", "--stdin", "--cost", "4", "users", "bert"));
        Assert.Contains("real.new is there: another change is going on", _terminal.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("passwd: a command is missing: add, remove, list, verify, hash", "passwd")]
    [InlineData("passwd: there is no command \"ad\"; did you mean \"add\"?; there are add, remove, list, verify, hash", "passwd", "ad")]
    [InlineData("passwd add: unexpected \"geheim\"; taken are FILE USER", "passwd", "add", "users", "anna", "geheim")]
    [InlineData("passwd add: USER is missing", "passwd", "add", "users")]
    [InlineData("passwd add: there is no option -b", "passwd", "add", "-b", "users", "anna")]
    [InlineData("passwd hash: --cost 3: give a whole number from 4 to 15", "passwd", "hash", "--stdin", "--cost", "3")]
    [InlineData("passwd hash: --cost is bcrypt's; leave out one of the two", "passwd", "hash", "--stdin", "--scram", "--cost", "10")]
    [InlineData("passwd hash: --iterations goes with --scram", "passwd", "hash", "--stdin", "--iterations", "5000")]
    [InlineData("passwd hash: --iterations 4095: give a whole number from 4096 to 5000000", "passwd", "hash", "--stdin", "--scram", "--iterations", "4095")]
    [InlineData("passwd hash: --iterations many: give a whole number from 4096 to 5000000", "passwd", "hash", "--stdin", "--scram", "--iterations=many")]
    public void Wrong_usage(string expected, params string[] arguments)
    {
        Assert.Equal(64, _terminal.Run(arguments));
        Assert.StartsWith($"edgebroker {expected}\nusage: edgebroker {arguments[0]} ", _terminal.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("anna", "a\tb", "SCRAM does not take this password: it holds control or other prohibited characters")]
    [InlineData("anna", "u\u0308", "SCRAM does not take this password")]
    [InlineData("\uFB01x", "geheim", "SCRAM does not take the user name")]
    [InlineData("a\u00A0b", "geheim", "SCRAM does not take the user name")]
    public void What_SCRAM_cannot_prepare_is_not_stored(string user, string password, string expected)
    {
        Assert.Equal(1, RunWith(password, "passwd", "add", "--stdin", "--scram", "users", user));
        Assert.Contains(expected, _terminal.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_terminal.PathOf("users")));
    }

    [Fact]
    public void SCRAM_lines_are_those_of_PostgreSQL()
    {
        Assert.Equal(0, RunWith("geheim", "passwd", "hash", "--stdin", "--scram"));
        Assert.Matches(@"^SCRAM-SHA-256\$60000:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=\n\z", _terminal.Out);
    }

    [Theory]
    [InlineData("the password is empty", "")]
    [InlineData("bcrypt looks at 72 bytes", "0123456789012345678901234567890123456789012345678901234567890123456789012")]
    public void Passwords_that_are_none(string expected, string password)
    {
        Assert.Equal(1, RunWith(password, "passwd", "hash", "--stdin"));
        Assert.Contains(expected, _terminal.Error, StringComparison.Ordinal);
    }

    private int RunWith(string line, params string[] arguments)
    {
        _terminal.Typed.Clear();
        _terminal.Typed.Enqueue(line);
        return _terminal.Run(arguments);
    }
}
