using System.Diagnostics;
using System.Text;
using EdgeBroker.Cli.Options;
using EdgeBroker.Cli.PubSub;

namespace EdgeBroker.Cli.Tests.PubSub;

/// <summary>One run of a verb in this process, with streams of its own.</summary>
internal sealed class CommandRun : IDisposable
{
    public static readonly TimeSpan Deadline = EdgeBroker.Testing.Deadline.Timeout;
    private static readonly CommandLine Verbs = new(PubCommand.Command, SubCommand.Command);
    private readonly CancellationTokenSource _ending = new();
    private readonly MemoryStream _output = new();
    private readonly StringBuilder _help = new();
    private readonly LockedWriter _errors = new();

    public CommandRun(string verb, string input, params string[] args)
    {
        var context = new CommandContext
        {
            Out = new StringWriter(_help),
            Error = _errors,
            OpenInput = () => new MemoryStream(Encoding.UTF8.GetBytes(input)),
            OpenOutput = () => Stream.Synchronized(_output),
            WorkingDirectory = Environment.CurrentDirectory,
            Time = TimeProvider.System,
            Stop = _ending.Token,
        };
        Exit = Task.Factory.StartNew(() => Verbs.Run([verb, .. args], context), TaskCreationOptions.LongRunning);
    }

    public Task<int> Exit { get; }

    public string Output => Encoding.UTF8.GetString(_output.ToArray());

    /// <summary>What is text, not data; once it has ended.</summary>
    public string Help => _help.ToString();

    public string Errors => _errors.ToString();

    public static CommandRun Pub(string input, params string[] args) => new("pub", input, args);

    public static CommandRun Sub(params string[] args) => new("sub", "", args);

    public async Task<int> ExitCodeAsync() => await Exit.WaitAsync(Deadline);

    public async Task UntilErrorsContainAsync(string text)
    {
        long start = Stopwatch.GetTimestamp();
        while (!Errors.Contains(text, StringComparison.Ordinal))
        {
            Assert.False(Exit.IsCompleted, $"The verb ended: {Errors}");
            Assert.True(Stopwatch.GetElapsedTime(start) < Deadline, $"Waited in vain for \"{text}\": {Errors}");
            await Task.Delay(2);
        }
    }

    /// <summary>What SIGINT and SIGTERM do.</summary>
    public void End() => _ending.Cancel();

    public void Dispose() => _ending.Dispose();

    // Read by the test while the verb writes.
    private sealed class LockedWriter : StringWriter
    {
        private readonly Lock _lock = new();

        public override void Write(char value)
        {
            lock (_lock) base.Write(value);
        }

        public override void Write(string? value)
        {
            lock (_lock) base.Write(value);
        }

        public override void WriteLine(string? value)
        {
            lock (_lock) base.Write(value + "\n");
        }

        public override Task WriteLineAsync(string? value)
        {
            WriteLine(value);
            return Task.CompletedTask;
        }

        public override string ToString()
        {
            lock (_lock) return base.ToString();
        }
    }
}
