using System.Globalization;
using System.Text;
using EdgeBroker.Protocol.Scram;
using EdgeBroker.Security.Passwords;
using EdgeBroker.Verbs;

namespace EdgeBroker.Access;

/// <summary> <c>edgebroker passwd ...</c>: makes and changes password files. Passwords come from the terminal or from stdin, never from the command line, which
/// others can see.</summary>
internal static class PasswdCommand
{
    public const string Usage = """
        usage: edgebroker passwd add [--stdin] [KIND] FILE USER
               edgebroker passwd remove FILE USER
               edgebroker passwd list FILE
               edgebroker passwd verify [--stdin] FILE USER
               edgebroker passwd hash [--stdin] [KIND]

          add      adds a user or changes the password; makes the file when it is missing
          remove   removes a user
          list     prints the users
          verify   says whether a password is right: exit 0 or 1
          hash     prints what stands behind the colon, for a file kept elsewhere

          --stdin     read the password from the first line of stdin; else it is asked for

        KIND is one of
          --cost N    bcrypt with cost N, 4 to 15; default 10, each step doubles the time
          --argon2    Argon2id (19 MiB of memory) in place of bcrypt
          --scram     SCRAM-SHA-256: MQTT 5 clients may prove the password instead of sending it; those that send it are let in as well
          --iterations N   with --scram, 4096 to 5000000; default 60000. Every client has this work to do when it connects

        The broker reads the file named by auth.password_file when it starts.
        """;

    private const int DefaultCost = 10;
    private const int DefaultIterations = 60_000;
    private const int BcryptBytes = 72;

    private const string NotPrepared = "it holds control or other prohibited characters, or ones with several forms; letters, digits and signs of a keyboard do";

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static int Run(string[] args, Surroundings world)
    {
        if (args.Length == 0) return CommandLine.Misused("passwd needs to know what to do", Usage, world);
        bool takesPassword = args[0] is "add" or "verify" or "hash";
        string[] flags = args[0] is "add" or "hash" ? ["--stdin", "--argon2", "--scram"] : takesPassword ? ["--stdin"] : [];
        if (VerbArguments.Read(args.AsSpan(1), flags, args[0] is "add" or "hash" ? ["--cost", "--iterations"] : [], out string problem) is not { } read)
        {
            return CommandLine.Misused(problem, Usage, world);
        }

        int wanted = args[0] switch { "add" or "remove" or "verify" => 2, "list" => 1, "hash" => 0, _ => -1 };
        if (wanted < 0) return CommandLine.Misused($"passwd cannot \"{Printable.Escape(args[0])}\"", Usage, world);
        if (read.Rest.Count != wanted)
        {
            return CommandLine.Misused($"passwd {args[0]} takes {(wanted == 0 ? "no file" : wanted == 1 ? "a file" : "a file and a user")}", Usage, world);
        }

        try
        {
            return args[0] switch
            {
                "add" => Add(read, world),
                "remove" => Remove(read, world),
                "list" => List(read, world),
                "verify" => Verify(read, world),
                _ => Hash(read, world),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Failed(e.Message, world);
        }
    }

    private static int Add(VerbArguments read, Surroundings world)
    {
        string user = read.Rest[1];
        if (PasswordFile.ProblemWithName(user) is { } wrongName) return Failed(wrongName, world);
        if (read.Has("--scram") && (!SaslPrep.TryPrepare(user, out string prepared) || prepared != user))
        {
            return Failed($"SCRAM does not take the user name \"{user}\": {NotPrepared}", world);
        }

        if (!TryHash(read, $"password for {Printable.Escape(user)}: ", world, out PasswordHash hash, out int failure)) return failure;
        bool replaced = false;
        Change(read.Rest[0], world, text => PasswordFileEdit.Set(text, user, hash, out replaced));
        world.Out.WriteLine(replaced ? $"{Printable.Escape(user)} has a new password" : $"{Printable.Escape(user)} added");
        return ExitCode.Success;
    }

    private static int Remove(VerbArguments read, Surroundings world)
    {
        string user = read.Rest[1];
        if (!File.Exists(FullPath(read.Rest[0], world))) return Failed($"no such file: {Printable.Escape(read.Rest[0])}", world);
        bool removed = Change(read.Rest[0], world, text =>
        {
            string rest = PasswordFileEdit.Remove(text, user, out bool found);
            return found ? rest : null;
        });
        if (!removed) return Failed($"there is no user \"{Printable.Escape(user)}\" in {Printable.Escape(read.Rest[0])}", world);
        world.Out.WriteLine($"{Printable.Escape(user)} removed");
        return ExitCode.Success;
    }

    private static int List(VerbArguments read, Surroundings world)
    {
        PasswordFile users = Load(read.Rest[0], world, out int problems);
        foreach (PasswordEntry entry in users.Entries) world.Out.WriteLine(Printable.Escape(entry.UserName));
        return problems == 0 ? ExitCode.Success : ExitCode.Failed;
    }

    private static int Verify(VerbArguments read, Surroundings world)
    {
        PasswordFile users = Load(read.Rest[0], world, out _);
        if (Ask(read, $"password for {Printable.Escape(read.Rest[1])}: ", repeat: false, world, out int failure) is not { } password) return failure;
        bool isRight = users.Find(read.Rest[1]) is { } entry && entry.Hash.Verify(Utf8.GetBytes(password));
        world.Out.WriteLine(isRight ? "right" : "wrong");
        return isRight ? ExitCode.Success : ExitCode.Failed;
    }

    private static int Hash(VerbArguments read, Surroundings world)
    {
        if (!TryHash(read, "password: ", world, out PasswordHash hash, out int failure)) return failure;
        world.Out.WriteLine(hash.Text);
        return ExitCode.Success;
    }

    private static bool TryHash(VerbArguments read, string prompt, Surroundings world, out PasswordHash hash, out int failure)
    {
        hash = null!;
        (int cost, int iterations) = (DefaultCost, DefaultIterations);
        if (ProblemWithKind(read, ref cost, ref iterations) is { } wrongKind)
        {
            failure = CommandLine.Misused(wrongKind, Usage, world);
            return false;
        }

        if (Ask(read, prompt, repeat: true, world, out failure) is not { } password) return false;
        bool argon = read.Has("--argon2");
        bool scram = read.Has("--scram");
        if (password.Length == 0 || password.Contains('\0')) failure = Failed("the password is empty, or holds a zero", world);
        else if (!argon && !scram && Utf8.GetByteCount(password) > BcryptBytes)
        {
            failure = Failed($"bcrypt looks at {BcryptBytes} bytes and would ignore the rest of this password; use --argon2 or --scram", world);
        }
        else if (Utf8.GetByteCount(password) > PasswordHash.MaxPasswordBytes)
        {
            failure = Failed($"the password is longer than {PasswordHash.MaxPasswordBytes} bytes", world);
        }
        else if (scram && !SaslPrep.TryPrepare(password, out _)) failure = Failed($"SCRAM does not take this password: {NotPrepared}", world);
        else hash = argon ? PasswordHash.Argon2(password) : scram ? PasswordHash.Scram(password, iterations) : PasswordHash.Bcrypt(password, cost);
        return hash is not null;
    }

    private static string? ProblemWithKind(VerbArguments read, ref int cost, ref int iterations)
    {
        bool argon = read.Has("--argon2");
        bool scram = read.Has("--scram");
        if (argon && scram) return "--argon2 and --scram are two kinds; leave out one of the two";
        if (read["--cost"] is { } costs)
        {
            if (argon || scram) return "--cost is bcrypt's; leave out one of the two";
            if (!int.TryParse(costs, NumberStyles.None, CultureInfo.InvariantCulture, out cost) || cost is < 4 or > 15)
            {
                return "--cost needs a number from 4 to 15";
            }
        }

        if (read["--iterations"] is not { } text) return null;
        if (!scram) return "--iterations goes with --scram";
        bool isGood = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out iterations) && iterations is >= ScramSha256.MinIterations and <= ScramSha256.MaxIterations;
        return isGood ? null : $"--iterations needs a number from {ScramSha256.MinIterations} to {ScramSha256.MaxIterations}";
    }

    private static string? Ask(VerbArguments read, string prompt, bool repeat, Surroundings world, out int failure)
    {
        failure = ExitCode.Success;
        string? password = read.Has("--stdin") ? world.ReadLine() ?? "" : world.AskHidden(prompt);
        if (password is null) failure = CommandLine.Misused("there is no terminal to ask for the password at; give it on stdin with --stdin", Usage, world);
        else if (repeat && !read.Has("--stdin") && world.AskHidden("once more: ") != password) failure = Failed("the two are not the same", world);
        return failure == ExitCode.Success ? password : null;
    }

    private static bool Change(string path, Surroundings world, Func<string, string?> change)
    {
        if (!OperatingSystem.IsLinux()) throw new IOException("password files are changed on Linux only");
        return AtomicFile.Change(FullPath(path, world), bytes =>
        {
            string text = Decode(bytes, path);
            if (change(text) is not { } changed) return null;
            Report(changed, path, world);
            return Utf8.GetBytes(changed);
        });
    }

    private static PasswordFile Load(string path, Surroundings world, out int problems)
    {
        string text = Decode(File.ReadAllBytes(FullPath(path, world)), path);
        problems = Report(text, path, world);
        return PasswordFile.Parse(text, []);
    }

    private static int Report(string text, string path, Surroundings world)
    {
        var problems = new List<FileProblem>();
        PasswordFile.Parse(text, problems);
        foreach (FileProblem problem in problems) world.Error.WriteLine($"{Printable.Escape(path)}:{problem.Line}: {Printable.Escape(problem.Text)}");
        return problems.Count;
    }

    private static string Decode(byte[] bytes, string path)
    {
        try
        {
            return Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new IOException($"{path} is not UTF-8 text; is it a password file?");
        }
    }

    private static string FullPath(string path, Surroundings world) => Path.GetFullPath(path, world.WorkingDirectory);

    private static int Failed(string problem, Surroundings world)
    {
        world.Error.WriteLine($"edgebroker: {Printable.Escape(problem)}");
        return ExitCode.Failed;
    }
}
