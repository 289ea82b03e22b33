using EdgeBroker;
using EdgeBroker.Cli.Options;
using EdgeBroker.Verbs;

return VerbTable.All.Run(args, new CommandContext
{
    Out = Console.Out,
    Error = Console.Error,
    OpenInput = Console.OpenStandardInput,
    OpenOutput = Console.OpenStandardOutput,
    ReadLine = () => Console.In.ReadLine(),
    AskHidden = HiddenPrompt.Ask,
    Log = Console.OpenStandardError(),
    LogIsTerminal = !Console.IsErrorRedirected,
    Environment = Environment.GetEnvironmentVariable,
    WorkingDirectory = Environment.CurrentDirectory,
    Time = TimeProvider.System,
    ReadSettings = ConfigurationFile.ReadSettings,
});
