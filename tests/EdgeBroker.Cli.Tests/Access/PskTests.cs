using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Cli.Tests.Access;

/// <summary><c>psk</c>, from words to files, output and exit code.</summary>
public sealed class PskTests : IDisposable
{
    private const string Key = "000102030405060708090a0b0c0d0e0f";
    private readonly Terminal _terminal = new();

    public void Dispose() => _terminal.Dispose();

    [Fact]
    public void A_client_is_added_with_a_new_key_listed_changed_and_removed()
    {
        Assert.Equal(0, _terminal.Run("psk", "add", "--user", "anna", "--client-id", "press7", "keys", "sensor"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_terminal.PathOf("keys")));
        PskEntry made = Assert.Single(Load().Entries);
        Assert.Equal(("sensor", "anna", "press7", 16), (made.Identity, made.UserName, made.ClientId, made.Key.Length));
        Assert.Equal($"key: {Convert.ToHexStringLower(made.Key)}\nsensor added; a running broker takes it by itself\n", _terminal.Out);
        Assert.Equal(0, RunWith(Key, "psk", "add", "--stdin", "keys", "sensor"));
        Assert.Equal("sensor is changed; a running broker takes it by itself\n", _terminal.Out);
        PskEntry changed = Assert.Single(Load().Entries);
        Assert.Equal(("sensor", null, Key), (changed.UserName, changed.ClientId, Convert.ToHexStringLower(changed.Key)));
        Assert.Equal(0, _terminal.Run("psk", "list", "keys"));
        Assert.Equal("sensor  user sensor  client id sensor\n", _terminal.Out);
        Assert.Equal(0, _terminal.Run("psk", "list", "--json", "keys"));
        Assert.Equal("{\"clients\":[{\"identity\":\"sensor\",\"user\":\"sensor\",\"client_id\":\"sensor\"}]}\n", _terminal.Out);
        Assert.Equal(0, _terminal.Run("psk", "remove", "keys", "sensor"));
        Assert.Equal(1, _terminal.Run("psk", "remove", "keys", "sensor"));
        Assert.Equal("edgebroker psk remove: there is no identity \"sensor\" in keys\n", _terminal.Error);
    }

    [Theory]
    [InlineData("0011", "edgebroker psk add: the key has 2 bytes and can be guessed; 16 (32 digits) at least\n")]
    [InlineData("geheim", "edgebroker psk add: the key is not hexadecimal: an even number of digits 0-9 and a-f\n")]
    public void A_key_that_is_none_is_refused_and_not_repeated(string key, string told)
    {
        Assert.Equal(1, RunWith(key, "psk", "add", "--stdin", "keys", "sensor"));
        Assert.Equal(told, _terminal.Error);
        Assert.False(File.Exists(_terminal.PathOf("keys")));
    }

    [Fact]
    public void Other_lines_stay_as_they_are()
    {
        _terminal.Write("keys", $"# ours\nbad\na:{Key}\n");
        Assert.Equal(0, RunWith(Key, "psk", "add", "--stdin", "keys", "b"));
        Assert.StartsWith("keys:2: is no identity:key", _terminal.Error, StringComparison.Ordinal);
        Assert.Equal($"# ours\nbad\na:{Key}\nb:{Key}\n", File.ReadAllText(_terminal.PathOf("keys")));
        Assert.Equal(1, _terminal.Run("psk", "list", "keys"));
        Assert.Equal(64, _terminal.Run("psk", "add", "keys"));
    }

    private PskFile Load() => PskFile.Load(_terminal.PathOf("keys"));

    private int RunWith(string line, params string[] words)
    {
        _terminal.Typed.Clear();
        _terminal.Typed.Enqueue(line);
        return _terminal.Run(words);
    }
}
