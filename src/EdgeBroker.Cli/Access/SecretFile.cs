using System.Text;
using EdgeBroker.Cli.Files;
using EdgeBroker.Cli.Options;
using EdgeBroker.Security.Passwords;

namespace EdgeBroker.Cli.Access;

/// <summary>A kind of text files that hold names and secrets, a line each, and that verbs make and change.</summary>
/// <param name="kind">What such a file is, in words: "a password file".</param>
/// <param name="check">What is wrong with the lines of a text.</param>
internal sealed class SecretFile(string kind, Func<string, IEnumerable<FileProblem>> check)
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Runs a verb whose first operand is such a file.</summary>
    /// <exception cref="CommandException">The file cannot be read or written: which, why, and what to do.</exception>
    public static int Guarded(Func<Arguments, CommandContext, int> run, Arguments args, CommandContext context)
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

    /// <summary>Its text; what is wrong with it is said.</summary>
    /// <param name="path">As the user wrote it.</param>
    /// <param name="context">Where the verb runs.</param>
    /// <param name="problems">How many lines are wrong.</param>
    /// <exception cref="IOException">It cannot be read, or is no text.</exception>
    public string Read(string path, CommandContext context, out int problems)
    {
        string text = Decode(File.ReadAllBytes(context.FullPath(path)), path);
        problems = Complain(text, path, context);
        return text;
    }

    /// <summary>Changes it, or makes it, in one step that a crash does not halve; what is wrong with it then is said.</summary>
    /// <param name="path">As the user wrote it.</param>
    /// <param name="context">Where the verb runs.</param>
    /// <param name="change">Makes the text that takes the old one's place; null: it stays as it is.</param>
    /// <returns>Whether it was changed.</returns>
    public bool Change(string path, CommandContext context, Func<string, string?> change)
    {
        if (!OperatingSystem.IsLinux()) throw new IOException($"{kind} is changed on Linux only");
        return WrittenFile.Change(context.FullPath(path), bytes =>
        {
            if (change(Decode(bytes, path)) is not { } changed) return null;
            Complain(changed, path, context);
            return Utf8.GetBytes(changed);
        }, isSecret: true);
    }

    /// <summary>Removes a name's line.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="CommandException">There is no such file.</exception>
    public bool Remove(string path, string name, CommandContext context)
    {
        if (!File.Exists(context.FullPath(path))) throw new CommandException($"no such file: {path}");
        return Change(path, context, text =>
        {
            string rest = PasswordFileEdit.Remove(text, name, out bool found);
            return found ? rest : null;
        });
    }

    private int Complain(string text, string path, CommandContext context)
    {
        int problems = 0;
        foreach (FileProblem problem in check(text))
        {
            context.Error.WriteLine($"{Printable.Escape(path)}:{problem.Line}: {Printable.Escape(problem.Text)}");
            problems++;
        }

        return problems;
    }

    private string Decode(byte[] bytes, string path)
    {
        try
        {
            // An editor's byte order mark would become a part of the first name.
            return Utf8.GetString(bytes).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException)
        {
            throw new IOException($"{path} is not UTF-8 text; is it {kind}?");
        }
    }
}
