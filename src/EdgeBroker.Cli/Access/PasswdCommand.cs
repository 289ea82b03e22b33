using System.Text;
using EdgeBroker.Cli.Files;
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

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static readonly CommandOption FromInput =
        CommandOption.Flag("--stdin", null, "read the password from the first line of stdin; else it is asked for");
    private static readonly CommandOption Cost =
        CommandOption.Number("--cost", null, "N", 4, 15, $"bcrypt with this cost ({DefaultCost}); each step doubles the time");
    private static readonly CommandOption Argon2 = CommandOption.Flag("--argon2", null, "Argon2id (19 MiB of memory) in place of bcrypt");
    private static readonly CommandOption Scram = CommandOption.Flag(
        "--scram", null, "SCRAM-SHA-256: MQTT 5 clients may prove the password instead of sending it; those that send it are let in as well");

    private static readonly CommandOption Iterations = CommandOption.Number(
        "--iterations", null, "N", ScramSha256.MinIterations, ScramSha256.MaxIterations,
            $"with --scram ({DefaultIterations}); every client has this work to do when it connects");

    private static readonly OptionGroup Kinds = new("What is stored", Cost, Argon2, Scram, Iterations);
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
                Run = (args, context) => Guarded(Add, args, context),
            },
            new Command { Name = "passwd remove", Summary = "remove a user", Operands = FileAndUser, Run = (args, context) => Guarded(Remove, args, context) },
            new Command
            {
                Name = "passwd list", Summary = "print the users", Operands = [new Operand("FILE")], Options = [SharedOptions.Json],
                Run = (args, context) => Guarded(List, args, context),
            },
            new Command
            {
                Name = "passwd verify", Summary = "say whether a password is right", Operands = FileAndUser, Options = [FromInput],
                NeedsOpenSsl = true,
                ExitCodes = "0 right, 1 wrong",
                Run = (args, context) => Guarded(Verify, args, context),
            },
            new Command
            {
                Name = "passwd hash", Summary = "print what stands behind the colon, for a file kept elsewhere", Options = [FromInput], Groups = [Kinds],
                NeedsOpenSsl = true,
                Run = (args, context) => Guarded(Hash, args, context),
            },
        ],
    };

    private static int Guarded(Func<Arguments, CommandContext, int> run, Arguments args, CommandContext context)
    {
        try
        {
            return run(args, context);
        }
        catch (Exception e) when (e is (IOException or UnauthorizedAccessException) and not OutputException)
        {
            string file = args.Operands[0];
            throw new CommandException($"{file}: {FileFailure.Explain(e, context.FullPath(file))}", e);
        }
    }

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
        Change(file, context, text => PasswordFileEdit.Set(text, user, hash, out replaced));
        context.Out.WriteLine(
            (replaced ? $"{Printable.Escape(user)} has a new password" : $"{Printable.Escape(user)} added")
                + "; a running broker takes it by itself");
        return ExitCode.Success;
    }

    private static int Remove(Arguments args, CommandContext context)
    {
        (string file, string user) = (args.Operands[0], args.Operands[1]);
        if (!File.Exists(context.FullPath(file))) throw new CommandException($"no such file: {file}");
        bool removed = Change(file, context, text =>
        {
            string rest = PasswordFileEdit.Remove(text, user, out bool found);
            return found ? rest : null;
        });
        if (!removed) throw new CommandException($"there is no user \"{user}\" in {file}");
        context.Out.WriteLine($"{Printable.Escape(user)} removed; a running broker takes it by itself");
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
        bool isRight = users.Find(user) is { } entry && entry.Hash.Verify(Utf8.GetBytes(password));
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
        (bool argon, bool scram) = (args.Has(Argon2), args.Has(Scram));
        if (password.Length == 0 || password.Contains('\0')) throw new CommandException("the password is empty, or holds a zero");
        if (!argon && !scram && Utf8.GetByteCount(password) > BcryptBytes)
        {
            throw new CommandException($"bcrypt looks at {BcryptBytes} bytes and would ignore the rest of this password; use --argon2 or --scram");
        }

        if (Utf8.GetByteCount(password) > PasswordHash.MaxPasswordBytes)
        {
            throw new CommandException($"the password is longer than {PasswordHash.MaxPasswordBytes} bytes");
        }

        if (scram && !SaslPrep.TryPrepare(password, out _)) throw new CommandException($"SCRAM does not take this password: {NotPrepared}");
        if (argon) return PasswordHash.Argon2(password);
        return scram ? PasswordHash.Scram(password, (int)(args.Number(Iterations) ?? DefaultIterations))
            : PasswordHash.Bcrypt(password, (int)(args.Number(Cost) ?? DefaultCost));
    }

    private static void CheckKind(Arguments args)
    {
        if (args.Has(Argon2) && args.Has(Scram)) throw new UsageException("--argon2 and --scram are two kinds; leave out one of the two");
        if (args.Has(Cost) && (args.Has(Argon2) || args.Has(Scram))) throw new UsageException("--cost is bcrypt's; leave out one of the two");
        if (args.Has(Iterations) && !args.Has(Scram)) throw new UsageException("--iterations goes with --scram");
    }

    private static string Ask(Arguments args, string prompt, bool repeat, CommandContext context)
    {
        if (args.Has(FromInput)) return context.ReadLine() ?? "";
        string password = context.AskHidden(prompt)
            ?? throw new UsageException("there is no terminal to ask for the password at; give it on stdin with --stdin");
        return !repeat || context.AskHidden("once more: ") == password ? password : throw new CommandException("the two are not the same");
    }

    private static bool Change(string path, CommandContext context, Func<string, string?> change)
    {
        if (!OperatingSystem.IsLinux()) throw new IOException("password files are changed on Linux only");
        return WrittenFile.Change(context.FullPath(path), bytes =>
        {
            string text = Decode(bytes, path);
            if (change(text) is not { } changed) return null;
            Report(changed, path, context);
            return Utf8.GetBytes(changed);
        }, isSecret: true);
    }

    private static PasswordFile Load(string path, CommandContext context, out int problems)
    {
        string text = Decode(File.ReadAllBytes(context.FullPath(path)), path);
        problems = Report(text, path, context);
        return PasswordFile.Parse(text, []);
    }

    private static int Report(string text, string path, CommandContext context)
    {
        var problems = new List<FileProblem>();
        PasswordFile.Parse(text, problems);
        foreach (FileProblem problem in problems) context.Error.WriteLine($"{Printable.Escape(path)}:{problem.Line}: {Printable.Escape(problem.Text)}");
        return problems.Count;
    }

    private static string Decode(byte[] bytes, string path)
    {
        try
        {
            // An editor's byte order mark would become a part of the first name.
            return Utf8.GetString(bytes).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException)
        {
            throw new IOException($"{path} is not UTF-8 text; is it a password file?");
        }
    }
}
