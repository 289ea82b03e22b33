using EdgeBroker.Cli.Options;

namespace EdgeBroker.Cli.Tests.Options;

/// <summary>What becomes of a verb whose output nobody takes, and of one that misses OpenSSL.</summary>
public sealed class CommandOutputTests : IDisposable
{
    private readonly StringWriter _errors = new();

    public void Dispose() => _errors.Dispose();

    [Theory]
    [InlineData(true, ExitCode.Success, "")]
    [InlineData(false, ExitCode.Failed, "edgebroker: the output cannot be written: No space left on device\n")]
    public void A_reader_that_has_gone_wants_no_more_and_a_full_disk_is_a_failure(bool isReaderGone, int exit, string said)
    {
        using var output = new Refusing(isReaderGone);
        Assert.Equal(exit, Run(new Command { Name = "say", Summary = "", Run = (_, context) => Print(context) }, output));
        Assert.Equal(said, _errors.ToString().ReplaceLineEndings("\n"));
    }

    [Fact]
    public void A_verb_that_needs_openssl_says_so_where_there_is_none()
    {
        var verb = new Command { Name = "say", Summary = "", NeedsOpenSsl = true, Run = (_, _) => throw new InvalidOperationException("it must not run") };
        Assert.Equal(ExitCode.Failed, Run(verb, TextWriter.Null));
        Assert.Equal($"edgebroker say: {OpenSsl.Missing}", _errors.ToString().Trim());
    }

    private static int Print(CommandContext context)
    {
        context.Out.WriteLine("x");
        return ExitCode.Success;
    }

    private int Run(Command verb, TextWriter output) => new CommandLine(verb).Run(["say"], new CommandContext
    {
        Out = output,
        Error = _errors,
        WorkingDirectory = "/",
        Time = TimeProvider.System,
        HasOpenSsl = () => false,
    });

    private sealed class Refusing(bool isReaderGone) : StringWriter
    {
        public override void Write(char value) => throw new OutputException("No space left on device", isReaderGone);

        public override void WriteLine(string? value) => throw new OutputException("No space left on device", isReaderGone);
    }
}
