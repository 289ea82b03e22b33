using EdgeBroker.Cli.Options;
using EdgeBroker.Configuration;
using EdgeBroker.Storage.Files;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Proxies;
using EdgeBroker.Transport.Tls;
using EdgeBroker.Transport.UnixSockets;

namespace EdgeBroker.Verbs;

/// <summary><c>edgebroker check</c>: every error of a configuration, or what it would do.</summary>
internal static class CheckCommand
{
    private static readonly CommandOption User = CommandOption.Text(
        "--as", null, "USER", "judge what may be read and written as this user; for root, by default, the owner of the data directory");

    private const string Peers = "clients are the users that run them";

    public static Command Command { get; } = new()
    {
        Name = "check",
        Summary = "check a configuration and say what it would do",
        Options = [SharedOptions.Config, User, SharedOptions.Json],
        Remarks = """
            Prints every error as FILE:LINE:COLUMN: what is wrong; or says that the file is valid, where
            the broker would listen, and what to be aware of, on this machine. Without -c it
            describes the embedded default.
            """,
        ExitCodes = "0 valid, 1 failed",
        ReadsConfiguration = true,
        Run = Run,
    };

    private static int Run(Arguments args, CommandContext context)
    {
        string? user = args.Text(User) ?? OwnerOfData(args, context);
        Checked found = user is null ? Check(args, context) : AsUser.Run(user, () => Check(args, context));
        IReadOnlyList<string> errors = found.Errors;
        if (errors.Count > 0 || found.Configuration is not { } configuration)
        {
            if (!args.Has(SharedOptions.Json)) throw CommandException.Configuration(user is null ? errors : [.. errors, $"(checked as user {user})"]);
            context.WriteJson(new CheckAnswer(false, errors, [], [], user), VerbJson.Default.CheckAnswer);
            return ExitCode.Configuration;
        }

        string[] effects = [.. EffectsOf(configuration)];
        if (args.Has(SharedOptions.Json))
        {
            context.WriteJson(new CheckAnswer(true, [], effects, found.Warnings, user), VerbJson.Default.CheckAnswer);
            return ExitCode.Success;
        }

        string name = configuration.File is null ? "the embedded default" : Printable.Escape(configuration.File);
        context.Out.WriteLine($"{name} is valid{(user is null ? "" : $", as user {Printable.Escape(user)} sees it")}");
        foreach (string effect in effects) context.Out.WriteLine($"  {Printable.Escape(effect)}");
        foreach (string warning in found.Warnings) context.Out.WriteLine($"warning: {warning}");
        return ExitCode.Success;
    }

    private static Checked Check(Arguments args, CommandContext context)
    {
        BrokerConfiguration? configuration = ConfigurationFile.Read(args.Text(SharedOptions.Config), context, out IReadOnlyList<string> errors);
        if (configuration is null) return new Checked(null, errors, []);
        MachineCheck machine = MachineCheck.Of(configuration);
        return new Checked(configuration, machine.Errors, [.. configuration.Warnings, .. machine.Warnings]);
    }

    /// <summary>For root: the user whose broker it is, by the data directory. Null: whoever asks, or nobody can tell.</summary>
    private static string? OwnerOfData(Arguments args, CommandContext context)
    {
        if (!Environment.IsPrivilegedProcess) return null;
        string directory = context.ReadSettings(context, args.Text(SharedOptions.Config)).DataDirectory;
        if (!Directory.Exists(directory)) return null;
        uint owner = FileOwner.Of(directory).User;
        return owner == 0 ? null : LocalAccounts.UserName(owner);
    }

    private sealed record Checked(BrokerConfiguration? Configuration, IReadOnlyList<string> Errors, IReadOnlyList<string> Warnings);

    private static IEnumerable<string> EffectsOf(BrokerConfiguration configuration)
    {
        foreach (ListenerSettings listener in configuration.Listeners)
        {
            yield return $"{listener.Name}, {Before(listener.Proxies)}{Who(listener)}, at most {Most(listener)}";
        }

        yield return $"data in {configuration.Node.DataDirectory}";
        foreach (string key in configuration.Replaced) yield return key;
        if (configuration.Auth.Users is { } users) yield return $"{users.Entries.Count} user(s) in the password file";
        if (configuration.Auth.Tokens is not null) yield return "JSON Web Tokens accepted as passwords";
        if (configuration.Auth.Rules.Rules.Count > 0) yield return $"{configuration.Auth.Rules.Rules.Count} access rule(s)";
    }

    private static string Before(TrustedProxies? proxies) => proxies is null ? "" : "behind a proxy (PROXY header), ";

    private static string Most(ListenerSettings listener) =>
        listener.Protocol.UsesDatagrams() ? $"{listener.Coap.MaxPeers} peers" : $"{listener.MaxConnections} connections";

    private static string Who(ListenerSettings listener) => listener.Tls?.ClientAuthentication switch
    {
        _ when listener is { PskFile: not null, Tls: null } => "pre-shared keys required",
        ClientAuthentication.Require when listener.PskFile is not null => "pre-shared keys or certificates of clients required",
        ClientAuthentication.Require => "certificates of clients required",
        _ when listener.IdentifiesPeers => Peers,
        ClientAuthentication.Request when !listener.AllowAnonymous => "certificates of clients or credentials required",
        _ => listener.AllowAnonymous ? "anonymous clients allowed" : "credentials required",
    };
}

/// <summary>What <c>check --json</c> prints.</summary>
/// <param name="Valid">Whether a broker would start with it.</param>
/// <param name="Errors">Each with its place.</param>
/// <param name="Effects">What a broker would do.</param>
/// <param name="Warnings">What to be aware of.</param>
/// <param name="AsUser">The user as whom it was judged; null: whoever asked.</param>
internal sealed record CheckAnswer(
    bool Valid, IReadOnlyList<string> Errors, IReadOnlyList<string> Effects, IReadOnlyList<string> Warnings, string? AsUser);
