using EdgeBroker.Configuration;

namespace EdgeBroker.Tests.Configuration;

/// <summary>conf.d/*.toml beside the file.</summary>
public sealed class FragmentTests
{
    [Fact]
    public void Tables_merge_and_arrays_append_in_the_order_of_names()
    {
        using Given given = new Given("[mqtt]\nmax_qos = 1\n" + L(1))
            .With("conf.d/20-b.toml", L(3)).With("conf.d/10-a.toml", "[mqtt]\nretain = false\n" + L(2))
            .With("conf.d/.hidden.toml", "nonsense").With("conf.d/notes.txt", "nonsense");
        BrokerConfiguration configuration = given.Valid();
        Assert.Equal(1, configuration.Mqtt.MaxQos);
        Assert.False(configuration.Mqtt.RetainAvailable);
        Assert.Equal(["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"], configuration.Listeners.Select(l => l.Address));
    }

    [Fact]
    public void Of_a_key_set_in_several_files_the_last_one_holds_and_all_places_are_told()
    {
        using Given given = new Given("[mqtt]\nmax_qos = 1\n").With("conf.d/a.toml", "\n[mqtt]\n  max_qos = 2\n").With("conf.d/b.toml", "mqtt.max_qos = 0\n");
        BrokerConfiguration configuration = given.Valid();
        Assert.Equal(0, configuration.Mqtt.MaxQos);
        Assert.Equal(
            ["mqtt.max_qos: set at conf.d/a.toml:3:3, in place of broker.toml:2:1", "mqtt.max_qos: set at conf.d/b.toml:1:6, in place of conf.d/a.toml:3:3"],
            configuration.Replaced);
    }

    [Fact]
    public void What_is_a_table_in_one_file_is_no_value_in_another()
    {
        using Given given = new Given("[mqtt]\nmax_qos = 1\n").With("conf.d/a.toml", "mqtt = 1\n");
        Assert.Equal(["conf.d/a.toml:1:1: \"mqtt\" is written in another way at broker.toml:1:2"], given.Errors());
    }

    [Fact]
    public void Errors_of_all_files_come_in_the_order_of_the_files()
    {
        using Given given = new Given("[mqtt]\nmax_qos = 9\n[log]\nlevel = 1\n").With("conf.d/b.toml", "x = 1").With("conf.d/a.toml", "y = \n[log]\nz = 1\n");
        string[] errors = given.Errors();
        Assert.Equal(5, errors.Length);
        Assert.StartsWith("broker.toml:2:11: ", errors[0], StringComparison.Ordinal);
        Assert.StartsWith("broker.toml:4:9: ", errors[1], StringComparison.Ordinal);
        Assert.StartsWith("conf.d/a.toml:1:", errors[2], StringComparison.Ordinal);
        Assert.Equal("conf.d/a.toml:3:1: unknown key \"z\" in [log]", errors[3]);
        Assert.StartsWith("conf.d/b.toml:1:1: ", errors[4], StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_taken_in_another_file()
    {
        using Given given = new Given(L(1)).With("conf.d/a.toml", L(1));
        Assert.Equal(["conf.d/a.toml:3:11: address \"127.0.0.1:1\" is taken already by the listener at broker.toml:3:11 (\"127.0.0.1:1\")"], given.Errors());
    }

    [Fact]
    public void Fragments_lie_beside_the_file_wherever_that_is()
    {
        using Given given = new Given().With("etc/broker.toml", "").With("etc/conf.d/a.toml", "bad = 1").With("conf.d/a.toml", "worse = 1");
        Assert.Equal(["etc/conf.d/a.toml:1:1: unknown key \"bad\" outside of any table"], given.Errors("etc/broker.toml"));
    }

    [Fact]
    public void A_fragment_that_is_a_directory()
    {
        using Given given = new Given("").With("conf.d/a.toml/x", "");
        // It is no file, and so none of the files.
        Assert.NotNull(given.Valid());
    }

    private static string L(int port) => $"[[listener]]\nprotocol = \"mqtt\"\naddress = \"127.0.0.1:{port}\"\n";
}
