using EdgeBroker.Cli.Options;

namespace EdgeBroker.Cli.Tests.Options;

/// <summary>One table, all forms in which people write options.</summary>
public sealed class ArgumentReaderTests
{
    private static readonly CommandOption Topic = CommandOption.Text("--topic", 't', "TOPIC", "") with { IsRepeatable = true };
    private static readonly CommandOption File = CommandOption.Path("--file", 'f', "FILE", "");
    private static readonly CommandOption Count = CommandOption.Number("--count", 'n', "N", 1, long.MaxValue, "");
    private static readonly CommandOption Wait = CommandOption.Seconds("--wait", 'W', "S", 0.5m, 10, "");
    private static readonly CommandOption Kind = CommandOption.Choice("--kind", null, "KIND", ["one", "two", "three"], "");
    private static readonly CommandOption Host = CommandOption.Text("--host", 'h', "NAME", "");
    private static readonly CommandOption Quiet = CommandOption.Flag("--quiet", 'q', "");
    private static readonly CommandOption Pair = CommandOption.Sequence("--pair", 'D', "A B [C]", values => values is ["long", ..] ? 3 : 2, "");

    private static readonly Command Plain = new()
    {
        Name = "plain",
        Summary = "test",
        Operands = [new Operand("FIRST"), new Operand("REST", IsRequired: false, Repeats: true)],
        Options = [Topic, File, Count, Wait, Kind, Quiet],
        Groups = [new OptionGroup("More", Pair)],
    };

    private static readonly Command WithHost = new() { Name = "host", Summary = "test", Options = [Host], LastHolds = true, Unsupported = ["--psk"] };

    [Theory]
    [InlineData("--topic", "a", "x")]
    [InlineData("--topic=a", "x")]
    [InlineData("-t", "a", "x")]
    [InlineData("-ta", "x")]
    [InlineData("x", "-t", "a")]
    [InlineData("-ta", "--", "x")]
    public void An_option_with_a_value_has_four_forms_and_stands_anywhere(params string[] args)
    {
        Arguments read = Plain.Read(args);
        Assert.Equal("a", read.Text(Topic));
        Assert.Equal(["x"], read.Operands);
    }

    [Fact]
    public void Values_are_taken_as_they_stand()
    {
        Arguments read = Plain.Read(["-t", "-n", "-t", "--", "--topic=a=b", "-t=c", "--topic=", "-", "--", "--quiet", "-t"]);
        Assert.Equal(["-n", "--", "a=b", "=c", ""], read.Texts(Topic));
        Assert.Equal(["-", "--quiet", "-t"], read.Operands);
        Assert.False(read.Has(Quiet));
        Assert.Null(read.Number(Count));
    }

    [Fact]
    public void Values_are_what_their_kind_says()
    {
        Arguments read = Plain.Read(["x", "-n9223372036854775807", "-W", "0.5", "--kind", "two", "-q", "-D", "a", "b", "-D", "long", "-q", "c", "--file=a b"]);
        Assert.Equal(long.MaxValue, read.Number(Count));
        Assert.Equal(TimeSpan.FromSeconds(0.5), read.Seconds(Wait));
        Assert.Equal("two", read.Text(Kind));
        Assert.True(read.Has(Quiet));
        Assert.Equal([["a", "b"], ["long", "-q", "c"]], read.Sequences(Pair));
        Assert.Equal("a b", read.Text(File));
    }

    [Theory]
    [InlineData("FIRST is missing")]
    [InlineData("-n 0: give a whole number from 1 to 9223372036854775807", "x", "-n", "0")]
    [InlineData("--count 1.5: give a whole number from 1 to 9223372036854775807", "x", "--count=1.5")]
    [InlineData("-W 0.4: give seconds from 0.5 to 10", "x", "-W0.4")]
    [InlineData("-W 1,5: give seconds from 0.5 to 10", "x", "-W", "1,5")]
    [InlineData("--kind four: give one, two or three", "x", "--kind", "four")]
    [InlineData("-f \"\": give a FILE", "x", "-f", "")]
    [InlineData("-f is given twice", "x", "-f", "a", "-f", "b")]
    [InlineData("--quiet is given twice", "x", "-q", "--quiet")]
    [InlineData("-t needs a value: TOPIC", "x", "-t")]
    [InlineData("-D needs a value: A B [C]", "x", "-D", "long", "b")]
    [InlineData("--pair is followed by A B [C], each an argument of its own", "x", "--pair=a", "b")]
    [InlineData("--quiet takes no value", "x", "--quiet=1")]
    [InlineData("there is no option --cuont; did you mean --count?", "x", "--cuont=5")]
    [InlineData("there is no option -x", "-x")]
    [InlineData("there is no option -qt", "-qt")]
    [InlineData("there is no option -count; did you mean --count?", "x", "-count", "5")]
    public void What_is_wrong_is_said_in_the_words_that_were_used(string expected, params string[] args) =>
        Assert.Equal(expected, Assert.Throws<UsageException>(() => Plain.Read(args)).Message);

    [Fact]
    public void Help_is_h_where_h_is_nothing_else()
    {
        Assert.True(Plain.Read(["-h"]).WantsHelp);
        Assert.True(Plain.Read(["x", "--help", "--nonsense"]).WantsHelp);
        Assert.False(Plain.Read(["-t", "--help", "x"]).WantsHelp);
        Assert.Equal("gw", WithHost.Read(["-h", "gw"]).Text(Host));
        Assert.True(WithHost.Read(["-h", "gw", "--help"]).WantsHelp);
    }

    [Fact]
    public void Where_the_last_one_holds_it_may_be_given_again()
    {
        Assert.Equal("b", WithHost.Read(["-h", "a", "--host=b"]).Text(Host));
        Assert.Equal("--psk is an option of mosquitto's clients that is not supported",
            Assert.Throws<UsageException>(() => WithHost.Read(["--psk", "x"])).Message);
    }

    [Fact]
    public void An_option_that_the_command_does_not_have_cannot_be_asked_for() =>
        Assert.Throws<InvalidOperationException>(() => WithHost.Read([]).Has(Quiet));
}
