using System.Text;
using EdgeBroker;
using EdgeBroker.Cli.Options;
using EdgeBroker.Verbs;

StandardOutput.EnsureOpen();
using var output = new StandardOutput(1);
using var error = new StandardOutput(2);
var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
return VerbTable.All.Run(args, new CommandContext
{
    Out = TextWriter.Synchronized(new StreamWriter(output, utf8, leaveOpen: true) { AutoFlush = true }),
    Error = TextWriter.Synchronized(new StreamWriter(error, utf8, leaveOpen: true) { AutoFlush = true }),
    OpenInput = Console.OpenStandardInput,
    OpenOutput = () => output,
    ReadLine = () => Console.In.ReadLine(),
    AskHidden = HiddenPrompt.Ask,
    Log = error,
    LogIsTerminal = !Console.IsErrorRedirected,
    OutIsTerminal = !Console.IsOutputRedirected,
    Environment = Environment.GetEnvironmentVariable,
    WorkingDirectory = Environment.CurrentDirectory,
    Time = TimeProvider.System,
    ReadSettings = ConfigurationFile.ReadSettings,
});
