using System.Text;
using EdgeBroker.Cli.Access;
using EdgeBroker.Cli.Certificates;
using EdgeBroker.Cli.Control;
using EdgeBroker.Cli.Options;
using EdgeBroker.Cli.PubSub;
using EdgeBroker.Cli.Storage;
using EdgeBroker.Testing;

namespace EdgeBroker.Cli.Tests;

/// <summary>Runs verbs in a folder of their own, as at a terminal: what is typed, what is printed, and a configuration that says where the data is.</summary>
internal sealed class Terminal : IDisposable
{
    private static readonly CommandLine Verbs = new(
        PasswdCommand.Command, PskCommand.Command, AclCommand.Command,
        PubCommand.Command, SubCommand.Command, CertCommand.Command, BackupCommand.Command, RestoreCommand.Command,
            StoreCommand.Command, ReloadCommand.Command);

    private readonly TemporaryDirectory _directory = new();
    private readonly StringWriter _out = new();
    private readonly StringWriter _error = new();
    private MemoryStream _data = new();

    /// <summary>What the last verb printed.</summary>
    public string Out => _out.ToString();

    /// <summary>What the last verb complained of.</summary>
    public string Error => _error.ToString();

    /// <summary>What the last verb wrote as data.</summary>
    public string Data => Encoding.UTF8.GetString(_data.ToArray());

    public string Folder => _directory.Path;

    /// <summary>Lines that wait to be read, from stdin or at a prompt.</summary>
    public Queue<string> Typed { get; } = new();

    /// <summary>What any configuration says.</summary>
    public BrokerSettings? Settings { get; set; }

    public string PathOf(string file) => Path.Combine(Folder, file);

    public void Write(string file, string text) => _directory.Write(file, text);

    public int Run(params string[] arguments)
    {
        _out.GetStringBuilder().Clear();
        _error.GetStringBuilder().Clear();
        _data = new MemoryStream();
        string? Next() => Typed.TryDequeue(out string? line) ? line : null;
        return Verbs.Run(arguments, new CommandContext
        {
            Out = _out,
            Error = _error,
            OpenOutput = () => _data,
            WorkingDirectory = Folder,
            Time = TimeProvider.System,
            ReadLine = Next,
            AskHidden = _ => Next(),
            ReadSettings = (_, _) => Settings ?? new BrokerSettings { DataDirectory = PathOf("data"), IsDataDirectorySet = true },
        });
    }

    public void Dispose()
    {
        _directory.Dispose();
        _out.Dispose();
        _error.Dispose();
    }
}
