using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeBroker.Cli.Options;
using EdgeBroker.Cli.Remote;

namespace EdgeBroker.Cli.Control;

/// <summary>What the verbs that ask a running broker share: where it is, what they ask, and which part of a long list they want.</summary>
internal static class ControlOptions
{
    public static readonly CommandOption Limit = CommandOption.Number(
        "--limit", 'n', "N", 1, ControlRequest.MostRows, $"most rows ({ControlRequest.UsualLimit})");

    public static readonly CommandOption After = CommandOption.Text("--after", null, "ROW", "begin behind this row: the last one of the page before");

    public static readonly CommandOption Url = CommandOption.Text("--url", null, "URL", "ask over HTTP, as at https://gw:8443, in place of the socket");
    public static readonly CommandOption Token = CommandOption.Text("--token", null, "TOKEN",
        "with --url: a token of [http]; other users of this machine see it");
    public static readonly CommandOption TokenFile = CommandOption.Path("--token-file", null, "FILE", "with --url: a file with a token of [http]");
    public static readonly CommandOption Authority = CommandOption.Path("--cafile", null, "FILE", "with --url: whose certificates are good (PEM)");

    /// <summary>For all of them.</summary>
    public static readonly CommandOption[] Common =
        [SharedOptions.Config, SharedOptions.DataDirectory, Url, Token, TokenFile, Authority, SharedOptions.Json];

    /// <summary>For lists.</summary>
    public static readonly CommandOption[] Paged = [Limit, After, .. Common];

    public const string WhoMay = "The broker is asked over the socket in its data directory: as root, or as the user it runs under.";

    // The broker looks something up in memory.
    private static readonly TimeSpan UsualTimeout = TimeSpan.FromSeconds(20);

    /// <summary>The page that the options ask for.</summary>
    public static ControlRequest WithPage(this ControlRequest request, Arguments args) => request with
    {
        After = args.Text(After),
        Limit = (int)(args.Number(Limit) ?? ControlRequest.UsualLimit),
    };

    /// <summary>Asks the broker that the options name.</summary>
    /// <param name="args">The verb's arguments.</param>
    /// <param name="context">The verb's context.</param>
    /// <param name="request">What is asked.</param>
    /// <param name="timeout">How long the broker may take; null: as long as it takes to look something up.</param>
    /// <exception cref="CommandException">Nobody answers, or the answer is that it cannot be done.</exception>
    public static ControlAnswer Ask(Arguments args, CommandContext context, ControlRequest request, TimeSpan? timeout = null)
    {
        if (args.Text(Url) is not null)
        {
            using RemoteClient remote = Remote(args, context, timeout ?? UsualTimeout);
            return remote.Ask(request);
        }

        if ((args.Text(Token) ?? args.Text(TokenFile) ?? args.Text(Authority)) is not null)
        {
            throw new UsageException("--token, --token-file and --cafile go with --url");
        }

        string directory = DirectoryOf(args, context, out IReadOnlyList<string> errors);
        ControlAnswer? answer = ControlClient.Ask(directory, request, timeout ?? UsualTimeout, out string noAnswer);
        if (answer is null)
        {
            foreach (string error in errors) context.Error.WriteLine(error);
            throw new CommandException(noAnswer);
        }

        return answer.Problem is null ? answer : throw new CommandException(answer.Problem, answer.ExitCode);
    }

    /// <summary>What asks over HTTP.</summary>
    /// <exception cref="CommandException">A file cannot be read.</exception>
    public static RemoteClient Remote(Arguments args, CommandContext context, TimeSpan timeout)
    {
        string text = args.Text(Url)!;
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? url)
            || url.Scheme is not ("http" or "https"))
        {
            throw new UsageException($"\"{text}\" is no http or https URL");
        }

        if (args.Text(Token) is not null && args.Text(TokenFile) is not null) throw new UsageException("--token and --token-file exclude each other");
        string? token = args.Text(Token);
        X509Certificate2Collection? authorities = null;
        try
        {
            if (args.Text(TokenFile) is { } file) token = File.ReadAllText(context.FullPath(file)).Trim();
            if (args.Text(Authority) is { } authority)
            {
                authorities = [];
                authorities.ImportFromPemFile(context.FullPath(authority));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new CommandException(exception.Message, exception);
        }

        return new RemoteClient(url, token, authorities, timeout);
    }

    /// <summary>Says how to see the rest of a list.</summary>
    /// <param name="args">The verb's arguments.</param>
    /// <param name="context">The verb's context.</param>
    /// <param name="next">Where the next page begins; null: there is none.</param>
    /// <param name="shown">Rows shown.</param>
    /// <param name="total">Rows there are.</param>
    /// <param name="what">What the rows are.</param>
    public static void ShowRest(Arguments args, CommandContext context, string? next, int shown, long total, string what)
    {
        if (next is null && args.Text(After) is null) context.Out.WriteLine($"{total} {what}");
        else context.Out.WriteLine($"{shown} of {total} {what}" + (next is null ? "" : $"; the next: --after {Quote(next)}"));
    }

    /// <summary>Where the broker's data is. A file with mistakes still says so: that broker is to say what is wrong, in its log too.</summary>
    private static string DirectoryOf(Arguments args, CommandContext context, out IReadOnlyList<string> errors)
    {
        if (args.Text(SharedOptions.Config) is { } file && args.Text(SharedOptions.DataDirectory) is null && !File.Exists(context.FullPath(file)))
        {
            throw CommandException.Configuration([$"{file}: no such file"]);
        }

        BrokerSettings settings = DataFolder.Find(args, context);
        errors = settings.Errors;
        return settings.DataDirectory;
    }

    // For a shell.
    private static string Quote(string text) =>
        text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or ':') ? text
            : $"'{Printable.Escape(text).Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
