using EdgeBroker.Testing;
namespace EdgeBroker.Tests.Configuration;

/// <summary>Every kind of error: its line, its column, its words.</summary>
public sealed class ErrorTests
{
    [Theory]
    [InlineData("[mqtt]\nmax_qoss = 1", "2:1: unknown key \"max_qoss\" in [mqtt]; did you mean \"max_qos\"?")]
    [InlineData("[mqtt]\n  retian = true", "2:3: unknown key \"retian\" in [mqtt]; did you mean \"retain\"?")]
    [InlineData("[mqtt]\nsparkplug = \"off\"", "2:1: unknown key \"sparkplug\" in [mqtt]")]
    [InlineData("[mqtt]\nlevel = \"info\"", "2:1: unknown key \"level\" in [mqtt]; it belongs in [log]")]
    [InlineData("max_qos = 1", "1:1: unknown key \"max_qos\" outside of any table; it belongs in [mqtt]")]
    [InlineData("[[sensor]]\nname = \"cloud\"", "1:3: unknown table [[sensor]]: this build has no such part; remove the table")]
    [InlineData("[mqqt]\nmax_qos = 1", "1:2: unknown table [mqqt]; did you mean \"mqtt\"?")]
    [InlineData("[mqtt.tls]\nx = 1", "1:7: unknown table [tls] in [mqtt]; it belongs in [[listener]]")]
    [InlineData("[mqtt]\n\"a\\nb\" = 1", "2:1: unknown key \"a\\nb\" in [mqtt]")]
    public void Unknown_names(string text, string expected) => Single(text, expected);

    [Theory]
    [InlineData("[mqtt]\nmax_qos = \"2\"", "2:11: \"max_qos\" expects a whole number from 0 to 2; found \"2\"; did you mean 2, without quotes?")]
    [InlineData("[mqtt]\nmax_qos = 1.5", "2:11: \"max_qos\" expects a whole number from 0 to 2; found 1.5")]
    [InlineData("[mqtt]\nretain = 1", "2:10: \"retain\" expects true or false; found 1")]
    [InlineData("[mqtt]\nretain = \"maybe\"", "2:10: \"retain\" expects true or false; found \"maybe\"")]
    [InlineData("[mqtt]\nretain = [true]", "2:10: \"retain\" expects true or false; found an array")]
    [InlineData("[mqtt]\nretain = { a = 1 }", "2:10: \"retain\" expects true or false; found a table")]
    [InlineData("[mqtt]\nretain = 1979-05-27", "2:10: \"retain\" expects true or false; found the date or time 1979-05-27")]
    [InlineData("[mqtt.retain]\nx = 1", "1:1: \"retain\" expects true or false; found a table")]
    [InlineData("mqtt = 1", "1:8: \"mqtt\" is a table, written [mqtt]; found 1")]
    [InlineData("[[mqtt]]\nmax_qos = 1", "1:1: [[mqtt]] is one table, written [mqtt]")]
    [InlineData("[listener]\nprotocol = \"mqtt\"", "1:1: [listener] may stand several times and is written [[listener]]")]
    [InlineData("listener = \"mqtt\"", "1:12: \"listener\" is a list of tables, each written [[listener]]; found \"mqtt\"")]
    [InlineData("[node]\nname = 1", "2:8: \"name\" expects a name of 1 to 64 letters, digits, \".\", \"_\" or \"-\"; found 1")]
    public void Wrong_types(string text, string expected) => Single(text, expected);

    [Theory]
    [InlineData("[mqtt]\nmax_qos = 3", "2:11: \"max_qos\" expects a whole number from 0 to 2; found 3")]
    [InlineData("[mqtt]\nmax_qos = -1", "2:11: \"max_qos\" expects a whole number from 0 to 2; found -1")]
    [InlineData("[mqtt]\nreceive_maximum = 0", "2:19: \"receive_maximum\" expects a whole number from 1 to 65535; found 0")]
    [InlineData("[mqtt]\nreceive_maximum = 65_536", "2:19: \"receive_maximum\" expects a whole number from 1 to 65535; found 65_536")]
    [InlineData("[mqtt]\ntopic_alias_maximum = 65536", "2:23: \"topic_alias_maximum\" expects a whole number from 0 to 65535; found 65536")]
    [InlineData("[mqtt]\nmax_packet_size = \"255B\"", "2:19: \"max_packet_size\" expects a size from \"256B\" to \"255MB\"; found \"255B\"")]
    [InlineData("[mqtt]\nmax_packet_size = \"257MB\"", "2:19: \"max_packet_size\" expects a size from \"256B\" to \"255MB\"; found \"257MB\"")]
    [InlineData("[mqtt]\nmax_keep_alive = \"19h\"", "2:18: \"max_keep_alive\" expects a duration from \"0s\" to \"65535s\" in whole seconds; found \"19h\"")]
    [InlineData("[mqtt]\nsys_interval = \"500ms\"", "2:16: \"sys_interval\" expects a duration from \"0s\" to \"1d\" in whole seconds; found \"500ms\"")]
    [InlineData("[limits]\nconnect_timeout = \"0s\"", "2:19: \"connect_timeout\" expects a duration from \"100ms\" to \"10m\"; found \"0s\"")]
    [InlineData("[storage]\ndurability = \"flash_saver\"",
        "2:14: \"durability\" expects \"strict\", \"balanced\", \"flash-saver\" or \"memory\"; found \"flash_saver\"; did you mean \"flash-saver\"?")]
    [InlineData("[mqtt]\nqueue_overflow = \"drop_newest\"",
        "2:18: \"queue_overflow\" expects \"drop-oldest\", \"drop-newest\", \"reject\", \"keep-latest\" or \"hold-publishers\"; found \"drop_newest\"; "
            + "did you mean \"drop-newest\"?")]
    [InlineData("[log]\nformat = \"syslog\"", "2:10: \"format\" expects \"auto\", \"text\" or \"json\"; found \"syslog\"")]
    [InlineData("[node]\nname = \"a b\"", "2:8: \"name\" expects a name of 1 to 64 letters, digits, \".\", \"_\" or \"-\"; found \"a b\"")]
    [InlineData("[node]\ndata_dir = \"\"", "2:12: \"data_dir\" expects the path of a directory; found \"\"")]
    public void Impossible_values(string text, string expected) => Single(text, expected);

    [Theory]
    [InlineData("\"30 s\"", "\"30 s\"; did you mean \"30s\"?")]
    [InlineData("\"30\"", "\"30\"; did you mean \"30s\"?")]
    [InlineData("30", "30; did you mean \"30s\"?")]
    [InlineData("\"30S\"", "\"30S\"; did you mean \"30s\"?")]
    [InlineData("\"30sec\"", "\"30sec\"; did you mean \"30s\"?")]
    [InlineData("\"2 minutes\"", "\"2 minutes\"; did you mean \"2m\"?")]
    [InlineData("\"1.5m\"", "\"1.5m\"")]
    [InlineData("\"-1s\"", "\"-1s\"")]
    [InlineData("\"1w\"", "\"1w\"")]
    [InlineData("\"99999999999999999999s\"", "\"99999999999999999999s\"")]
    [InlineData("\"9223372036854775807d\"", "\"9223372036854775807d\"")]
    [InlineData("\"\"", "\"\"")]
    public void Bad_durations(string value, string found) =>
        Single($"[limits]\nconnect_timeout = {value}", $"2:19: \"connect_timeout\" expects a duration from \"100ms\" to \"10m\"; found {found}");

    [Theory]
    [InlineData("\"1mb\"", "\"1mb\"; did you mean \"1MB\"?")]
    [InlineData("\"1 MB\"", "\"1 MB\"; did you mean \"1MB\"?")]
    [InlineData("1048576", "1048576; did you mean \"1048576B\"?")]
    [InlineData("\"1TB\"", "\"1TB\"")]
    [InlineData("\"MB\"", "\"MB\"")]
    [InlineData("\"9223372036854775807GB\"", "\"9223372036854775807GB\"")]
    public void Bad_sizes(string value, string found) =>
        Single($"[mqtt]\nmax_packet_size = {value}", $"2:19: \"max_packet_size\" expects a size from \"256B\" to \"255MB\"; found {found}");

    [Theory]
    [InlineData("[mqtt]\nmax_qos = 1\nmax_qos = 2", "3:1: key \"max_qos\" is set already at broker.toml:2:1")]
    [InlineData("[mqtt]\nmax_qos = 1\n[log]\n[mqtt]\nretain = true", "4:1: [mqtt] is defined already at broker.toml:1:2")]
    [InlineData("mqtt.max_qos = 1\n[mqtt]\nretain = true", "2:1: [mqtt] is defined already at broker.toml:1:1")]
    [InlineData("mqtt = { max_qos = 1 }\n[mqtt]\nretain = true", "2:1: [mqtt] is defined already at broker.toml:1:1")]
    [InlineData("mqtt = { max_qos = 1, max_qos = 2 }", "1:23: key \"max_qos\" is set already at broker.toml:1:10")]
    public void Set_twice(string text, string expected) => Single(text, expected);

    [Theory]
    [InlineData("[mqtt]\nmax_qos = \n", 2, "a value is missing")]
    [InlineData("[mqtt\nmax_qos = 1\n", 1, "")]
    [InlineData("[limits]\nconnect_timeout = 30s\n", 2, "text, addresses and quantities are written in quotes: \"30s\"")]
    [InlineData("[log]\nlevel = info # or debug\n", 2, "text, addresses and quantities are written in quotes: \"info\"")]
    [InlineData("[log]\nlevel = \"info\nformat = \"text\"\n", 2, "the closing quote is missing: level = \"info\"")]
    [InlineData("[log]\r\nlevel = \"a\\qb\"\r\n", 2, "in double quotes a backslash begins an escape")]
    [InlineData("[log]\nlevel \"info\"\n", 2, "a value is set with \"=\": level = \"info\"")]
    [InlineData("[mqtt]\nmax_qos: 1\n", 2, "a value is set with \"=\": max_qos = 1")]
    [InlineData("[mqtt]\nretain = True\n", 2, "write true, in small letters and without quotes")]
    [InlineData("[[listener]]\nprotocol = \"mqtt\"\naddress = 127.0.0.1:1883\n", 3, "written in quotes: \"127.0.0.1:1883\"")]
    [InlineData("[[listener]]\nprotocol = \"mqtt\"\naddress = \u201C127.0.0.1:1883\u201D\n", 3, "typographic quotes; write plain ones: \"")]
    [InlineData("// comment\n[mqtt]\nretain = true\n", 1, "a comment begins with #, not with //")]
    [InlineData("[mqtt]\nretain = true // or false\n", 2, "a comment begins with #, not with //")]
    public void Broken_syntax_is_one_error_at_its_line(string text, int line, string hint)
    {
        using var given = new Given(text);
        string error = Assert.Single(given.Errors());
        Assert.StartsWith($"broker.toml:{line}:", error, StringComparison.Ordinal);
        Assert.Contains(": syntax: ", error, StringComparison.Ordinal);
        Assert.Contains(hint, error, StringComparison.Ordinal);
    }

    [Fact]
    public void All_errors_are_shown_at_once_in_the_order_of_their_places()
    {
        using var given = new Given("""
            [mqtt]
            max_qos = 7
            nonsense = 1
            retain = yes
            max_qos = 1
            [[listener]]
            address = "1883"
            [log]
            level = "loud"
            """);
        Assert.Equal(
        [
            "broker.toml:2:11: \"max_qos\" expects a whole number from 0 to 2; found 7",
            "broker.toml:3:1: unknown key \"nonsense\" in [mqtt]",
            "broker.toml:4:10: syntax: write true, in small letters and without quotes",
            "broker.toml:5:1: key \"max_qos\" is set already at broker.toml:2:1",
            "broker.toml:6:1: [[listener]] needs the key \"protocol\": \"mqtt\", \"mqtts\", \"ws\", \"wss\", \"http\", \"https\", \"coap\" or \"coaps\"",
            "broker.toml:7:11: \"address\" expects an address: \"host:port\", \"[v6]:port\" or \"unix:/path\"; found \"1883\"; "
            + "did you mean \"127.0.0.1:1883\"?",
            "broker.toml:9:9: \"level\" expects \"debug\", \"info\", \"warning\" or \"error\"; found \"loud\"",
        ], given.Errors());
    }

    [Theory]
    [InlineData("[mqtt]\nretain = \"true\"", "2:10: \"retain\" expects true or false; found \"true\"; did you mean true, without quotes?")]
    [InlineData(
        "[mqtt]\nreceive_maximum = \"100\"",
        "2:19: \"receive_maximum\" expects a whole number from 1 to 65535; "
            + "found \"100\"; did you mean 100, without quotes?")]
    [InlineData("[log]\nlevel = \"warn\"", "2:9: \"level\" expects \"debug\", \"info\", \"warning\" or \"error\"; found \"warn\"; did you mean \"warning\"?")]
    [InlineData(
        "[limits]\nmax_memory = \"64M\"",
        "2:14: \"max_memory\" expects \"auto\", \"none\", or a size from \"32MB\" to \"1024GB\"; found \"64M\"; did you mean \"64MB\"?")]
    [InlineData(
        "[[acl]]\nallow = [\"read\"]\ntopics = [\"a\"]",
        "2:10: \"allow\" expects a list of \"publish\", \"subscribe\" or \"retain\"; found \"read\"; did you mean \"subscribe\"?")]
    [InlineData(
        "[[acl]]\nallow = [\"publish\"]\ntopics = [\"plant/#/x\"]",
        "3:11: \"topics\" expects a list of topic filters, in which \"%u\" is the user name and \"%c\" the client id; found \"plant/#/x\"; "
            + "did you mean \"plant/#\", as \"#\" stands at the end only?")]
    [InlineData(
        "[log]\nlevel = \"in\0fo\"",
        "2:12: holds a zero byte: the file is damaged, or saved in another form than UTF-8; save it as UTF-8, or restore it")]
    [InlineData(
        "# made by hand\nlistener 1883\nallow_anonymous true\n",
        "2:1: this is a mosquitto.conf, and broker.toml is written otherwise: \"edgebroker config default\" prints one to start from, "
            + "\"edgebroker acl import\" turns an acl_file into rules, "
            + "and mosquitto's password files are read as they are")]
    public void What_is_to_be_written_instead_is_said(string text, string expected) => Single(text, expected);

    [Theory]
    [InlineData("*:1883", "\"0.0.0.0:1883\"?")]
    [InlineData(":1883", "\"127.0.0.1:1883\"?")]
    [InlineData("192.168.1.10", "\"192.168.1.10:1883\"?")]
    [InlineData("/run/mqtt.sock", "\"unix:/run/mqtt.sock\"?")]
    public void An_address_that_is_none_is_answered_with_one(string address, string meant)
    {
        using var given = new Given($"[[listener]]\nprotocol = \"mqtt\"\naddress = \"{address}\"\n");
        Assert.EndsWith($"; found \"{address}\"; did you mean {meant}", Assert.Single(given.Errors()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_socket_s_path_that_is_too_long_is_told_so()
    {
        using var given = new Given($"[[listener]]\nprotocol = \"mqtt\"\naddress = \"unix:/{new string('x', 110)}\"\n");
        Assert.Contains("did you mean a shorter path? A socket's has 107 bytes at most", Assert.Single(given.Errors()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_sets_nothing_is_warned_about()
    {
        using var given = new Given("# nothing yet\n");
        Assert.StartsWith("broker.toml: sets nothing", Assert.Single(given.Valid().Warnings), StringComparison.Ordinal);
        using var filled = new Given("").With("conf.d/a.toml", "[mqtt]\nmax_qos = 1\n");
        Assert.Empty(filled.Valid().Warnings);
    }

    [Theory]
    [InlineData("127.0.0.1:1884", "no [[listener]] has the address \"127.0.0.1:1884\"; there are 127.0.0.1:1883")]
    [InlineData("127.0.0.1:*", null)]
    public void A_rule_for_a_listener_that_is_not_there_is_an_error(string listener, string? expected)
    {
        using var given = new Given($"[[acl]]\nlistener = \"{listener}\"\nallow = [\"publish\"]\ntopics = [\"a\"]\n");
        if (expected is null) given.Valid();
        else Assert.Equal([$"broker.toml:2:12: {expected}"], given.Errors());
    }

    [Fact]
    public void Columns_count_characters_not_bytes_or_halves() =>
        Single("mqtt = { \"\U0001F600é\" = 1 }", "1:10: unknown key \"\U0001F600é\" in [mqtt]");

    [Fact]
    public void A_missing_file() => Assert.Equal(["nowhere.toml: no such file"], new Given().Errors("nowhere.toml"));

    [Fact]
    public void A_directory_instead_of_a_file()
    {
        using var given = new Given();
        Directory.CreateDirectory(Path.Combine(given.Directory, "etc"));
        Assert.Equal(["etc: is a directory; expected a file"], given.Errors("etc"));
    }

    [Fact]
    public void A_file_that_is_not_text()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("broker.toml", [.. "[mqtt]\nmax"u8, 0xFF, 0xFE]);
        var loader = new EdgeBroker.Configuration.ConfigurationLoader(_ => null, directory.Path);
        Assert.Null(loader.Load("broker.toml", out string[] errors));
        Assert.Equal(["broker.toml:2:4: is not UTF-8 text; save the file as UTF-8"], errors);
    }

    [Fact]
    public void A_file_that_is_far_too_large()
    {
        using var given = new Given(new string('#', 1024 * 1024 + 1));
        Assert.Equal(["broker.toml: is larger than 1MB; is it the right file?"], given.Errors());
    }

    [Fact]
    public void Brackets_without_end_do_not_exhaust_the_stack()
    {
        using var given = new Given("x = " + new string('[', 100_000));
        Assert.Equal(["broker.toml:1:37: more than 32 brackets are open"], given.Errors());
    }

    private static void Single(string text, string expected)
    {
        using var given = new Given(text);
        Assert.Equal(["broker.toml:" + expected], RemoveRequired(given.Errors()));
    }

    /// <summary>A listener that misses its keys is another test's matter.</summary>
    private static string[] RemoveRequired(string[] errors) =>
        [.. errors.Where(e => !e.Contains("needs the key", StringComparison.Ordinal))];
}
