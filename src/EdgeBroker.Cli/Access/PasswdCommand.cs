using System.Text;
using EdgeBroker.Cli.Options;
using EdgeBroker.Protocol.Scram;
using EdgeBroker.Security.Passwords;

namespace EdgeBroker.Cli.Access;

/// <summary>
/// <c>edgebroker passwd ...</c>: makes and changes password files. Passwords come from the terminal or from stdin, never from the command line, which
/// others can see.
/// </summary>
public static class PasswdCommand
{
    private const int DefaultCost = 10;
    private const int DefaultIterations = 60_000;
    private const int BcryptBytes = 72;
    private const string NotPrepared =
        "it holds control or other prohibited characters, or ones with several forms; letters, digits and signs of a keyboard do";

    private static readonly SecretFile Users = new("a password file", Check);

    private static readonly CommandOption FromInput =
        CommandOption.Flag("--stdin", null, "read the password from the first line of stdin; else it is asked for");
    private static readonly CommandOption Cost =
        CommandOption.Number("--cost", null, "N", 4, 15, $"bcrypt with this cost ({DefaultCost}); each step doubles the time");
    private static readonly CommandOption Scram = CommandOption.Flag(
        "--scram", null, "SCRAM-SHA-256: MQTT 5 clients may prove the password instead of sending it; those that send it are let in as well");

    private static readonly CommandOption Iterations = CommandOption.Number(
        "--iterations", null, "N", ScramSha256.MinIterations, ScramSha256.MaxIterations,
            $"with --scram ({DefaultIterations}); every client has this work to do when it connects");

    private static readonly OptionGroup Kinds = new("What is stored", Cost, Scram, Iterations);
    private const string Taken = "; a running broker takes it by itself (with auth.watch_password_file = false: by \"edgebroker reload\")";

    private static readonly Operand[] FileAndUser = [new("FILE"), new("USER")];

    public static Command Command { get; } = new()
    {
        Name = "passwd",
        Summary = "make and change password files",
        Remarks = "The broker reads the file named by auth.password_file when it starts, and when the file changes."
            + " With auth.watch_password_file = false it does so with \"edgebroker reload\".",
        Commands =
        [
            new Command
            {
                Name = "passwd add", Summary = "add a user or change a password; makes the file when it is missing", Operands = FileAndUser,
                Options = [FromInput], Groups = [Kinds], NeedsOpenSsl = true,
                Run = (args, context) => SecretFile.Guarded(Add, args, context),
            },
            new Command
            {
                Name = "passwd remove", Summary = "remove a user", Operands = FileAndUser,
                Run = (args, context) => SecretFile.Guarded(Remove, args, context),
            },
            new Command
            {
                Name = "passwd list", Summary = "print the users", Operands = [new Operand("FILE")], Options = [SharedOptions.Json],
                Run = (args, context) => SecretFile.Guarded(List, args, context),
            },
            new Command
            {
                Name = "passwd verify", Summary = "say whether a password is right", Operands = FileAndUser, Options = [FromInput],
                NeedsOpenSsl = true,
                ExitCodes = "0 right, 1 wrong",
                Run = (args, context) => SecretFile.Guarded(Verify, args, context),
            },
            new Command
            {
                Name = "passwd hash", Summary = "print what stands behind the colon, for a file kept elsewhere", Options = [FromInput], Groups = [Kinds],
                NeedsOpenSsl = true,
                Run = (args, context) => SecretFile.Guarded(Hash, args, context),
            },
        ],
    };

    private static int Add(Arguments args, CommandContext context)
    {
        (string file, string user) = (args.Operands[0], args.Operands[1]);
        CheckKind(args);
        if (PasswordFile.ProblemWithName(user) is { } wrongName) throw new CommandException(wrongName);
        if (args.Has(Scram) && (!SaslPrep.TryPrepare(user, out string prepared) || prepared != user))
        {
            throw new CommandException($"SCRAM does not take the user name \"{user}\": {NotPrepared}");
        }

        PasswordHash hash = MakeHash(args, $"password for {Printable.Escape(user)}: ", context);
        bool replaced = false;
        Users.Change(file, context, text => PasswordFileEdit.Set(text, user, hash, out replaced));
        context.Out.WriteLine(
            (replaced ? $"{Printable.Escape(user)} has a new password" : $"{Printable.Escape(user)} added")
                + Taken);
        return ExitCode.Success;
    }

    private static int Remove(Arguments args, CommandContext context)
    {
        (string file, string user) = (args.Operands[0], args.Operands[1]);
        if (!Users.Remove(file, user, context)) throw new CommandException($"there is no user \"{user}\" in {file}");
        context.Out.WriteLine($"{Printable.Escape(user)} removed{Taken}");
        return ExitCode.Success;
    }

    private static int List(Arguments args, CommandContext context)
    {
        PasswordFile users = Load(args.Operands[0], context, out int problems);
        string[] names = [.. users.Entries.Select(entry => entry.UserName)];
        if (args.Has(SharedOptions.Json)) context.WriteJson(new UserList(names), CommandJson.Default.UserList);
        else Array.ForEach(names, name => context.Out.WriteLine(Printable.Escape(name)));
        return problems == 0 ? ExitCode.Success : ExitCode.Failed;
    }

    private static int Verify(Arguments args, CommandContext context)
    {
        string user = args.Operands[1];
        PasswordFile users = Load(args.Operands[0], context, out _);
        string password = Ask(args, $"password for {Printable.Escape(user)}: ", repeat: false, context);
        bool isRight = users.Find(user) is { } entry && entry.Hash.Verify(Encoding.UTF8.GetBytes(password));
        context.Out.WriteLine(isRight ? "right" : "wrong");
        return isRight ? ExitCode.Success : ExitCode.Failed;
    }

    private static int Hash(Arguments args, CommandContext context)
    {
        CheckKind(args);
        context.Out.WriteLine(MakeHash(args, "password: ", context).Text);
        return ExitCode.Success;
    }

    private static PasswordHash MakeHash(Arguments args, string prompt, CommandContext context)
    {
        string password = Ask(args, prompt, repeat: true, context);
        bool scram = args.Has(Scram);
        if (password.Length == 0 || password.Contains('\0')) throw new CommandException("the password is empty, or holds a zero");
        if (!scram && Encoding.UTF8.GetByteCount(password) > BcryptBytes)
        {
            throw new CommandException($"bcrypt looks at {BcryptBytes} bytes and would ignore the rest of this password; use --scram");
        }

        if (Encoding.UTF8.GetByteCount(password) > PasswordHash.MaxPasswordBytes)
        {
            throw new CommandException($"the password is longer than {PasswordHash.MaxPasswordBytes} bytes");
        }

        if (scram && !SaslPrep.TryPrepare(password, out _)) throw new CommandException($"SCRAM does not take this password: {NotPrepared}");
        return scram ? PasswordHash.Scram(password, (int)(args.Number(Iterations) ?? DefaultIterations))
            : PasswordHash.Bcrypt(password, (int)(args.Number(Cost) ?? DefaultCost));
    }

    private static void CheckKind(Arguments args)
    {
        if (args.Has(Cost) && args.Has(Scram)) throw new UsageException("--cost is bcrypt's; leave out one of the two");
        if (args.Has(Iterations) && !args.Has(Scram)) throw new UsageException("--iterations goes with --scram");
    }

    private static string Ask(Arguments args, string prompt, bool repeat, CommandContext context)
    {
        if (args.Has(FromInput)) return context.ReadLine() ?? "";
        string password = context.AskHidden(prompt)
            ?? throw new UsageException("there is no terminal to ask for the password at; give it on stdin with --stdin");
        return !repeat || context.AskHidden("once more: ") == password ? password : throw new CommandException("the two are not the same");
    }

    private static PasswordFile Load(string path, CommandContext context, out int problems) => PasswordFile.Parse(Users.Read(path, context, out problems), []);

    private static List<FileProblem> Check(string text)
    {
        var problems = new List<FileProblem>();
        PasswordFile.Parse(text, problems);
        return problems;
    }
}
