using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Cli.Options;
using EdgeBroker.Security.Passwords;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Cli.Access;

/// <summary><c>edgebroker psk ...</c>: makes and changes files of keys that CoAP clients and the broker both know.</summary>
public static class PskCommand
{
    private static readonly SecretFile Keys = new("a file of keys", Check);

    private static readonly CommandOption User =
        CommandOption.Text("--user", 'u', "NAME", "the user the client is, for [[acl]]; else its identity");
    private static readonly CommandOption Client =
        CommandOption.Text("--client-id", 'i', "ID", "the client id it has; else its identity");
    private static readonly CommandOption FromInput =
        CommandOption.Flag("--stdin", null, "read the key, hexadecimal, from the first line of stdin; else a new one is made and printed");

    private static readonly Operand[] FileAndIdentity = [new("FILE"), new("IDENTITY")];

    public static Command Command { get; } = new()
    {
        Name = "psk",
        Summary = "make and change files of pre-shared keys, for CoAP over DTLS",
        Remarks = "The broker reads the file named by file in [listener.psk] when it starts, and when the file changes.",
        Commands =
        [
            new Command
            {
                Name = "psk add", Summary = "add a client or change its key; makes the file when it is missing", Operands = FileAndIdentity,
                Options = [User, Client, FromInput], NeedsOpenSsl = true,
                Run = (args, context) => SecretFile.Guarded(Add, args, context),
            },
            new Command
            {
                Name = "psk remove", Summary = "remove a client", Operands = FileAndIdentity,
                Run = (args, context) => SecretFile.Guarded(Remove, args, context),
            },
            new Command
            {
                Name = "psk list", Summary = "print the clients, without their keys", Operands = [new Operand("FILE")], Options = [SharedOptions.Json],
                Run = (args, context) => SecretFile.Guarded(List, args, context),
            },
        ],
    };

    private static int Add(Arguments args, CommandContext context)
    {
        (string file, string identity) = (args.Operands[0], args.Operands[1]);
        (string? user, string? client) = (args.Text(User), args.Text(Client));
        string? wrong = PskFile.ProblemWithName("identity", identity) ?? (user is null ? null : PskFile.ProblemWithName("user", user))
            ?? (client is null ? null : PskFile.ProblemWithName("client id", client));
        if (wrong is not null) throw new CommandException(wrong);
        bool isGiven = args.Has(FromInput);
        string hex = isGiven ? (context.ReadLine() ?? "").Trim() : Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(PskFile.MinKeyBytes));
        if (PskFile.ProblemWithKey(hex, out _) is { } wrongKey) throw new CommandException(wrongKey);
        string line = $"{identity}:{hex}" + (user is null && client is null ? "" : ":" + user) + (client is null ? "" : ":" + client);
        bool replaced = false;
        Keys.Change(file, context, text => PasswordFileEdit.SetLine(text, identity, line, out replaced));
        if (!isGiven) context.Out.WriteLine($"key: {hex}");
        context.Out.WriteLine(
            (replaced ? $"{Printable.Escape(identity)} is changed" : $"{Printable.Escape(identity)} added")
                + "; a running broker takes it by itself");
        return ExitCode.Success;
    }

    private static int Remove(Arguments args, CommandContext context)
    {
        (string file, string identity) = (args.Operands[0], args.Operands[1]);
        if (!Keys.Remove(file, identity, context)) throw new CommandException($"there is no identity \"{identity}\" in {file}");
        context.Out.WriteLine($"{Printable.Escape(identity)} removed; a running broker takes it by itself");
        return ExitCode.Success;
    }

    private static int List(Arguments args, CommandContext context)
    {
        string path = args.Operands[0];
        PskFile clients = Parse(Keys.Read(path, context, out int problems), []);
        if (args.Has(SharedOptions.Json))
        {
            var shown = new PskList([.. clients.Entries.Select(one => new PskClient(one.Identity, one.UserName, one.ClientId ?? one.Identity))]);
            context.WriteJson(shown, CommandJson.Default.PskList);
            return problems == 0 ? ExitCode.Success : ExitCode.Failed;
        }

        foreach (PskEntry one in clients.Entries)
        {
            string client = Printable.Escape(one.ClientId ?? one.Identity);
            context.Out.WriteLine($"{Printable.Escape(one.Identity)}  user {Printable.Escape(one.UserName)}  client id {client}");
        }

        return problems == 0 ? ExitCode.Success : ExitCode.Failed;
    }

    private static List<FileProblem> Check(string text)
    {
        var problems = new List<FileProblem>();
        Parse(text, problems);
        return problems;
    }

    private static PskFile Parse(string text, List<FileProblem> problems) =>
        PskFile.Parse(Encoding.UTF8.GetBytes(text), (line, problem) => problems.Add(new FileProblem(line, problem)));
}
