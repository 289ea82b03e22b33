using EdgeBroker.Cli.Options;
using EdgeBroker.Configuration;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Proxies;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Verbs;

/// <summary><c>edgebroker check</c>: every error of a configuration, or what it would do.</summary>
internal static class CheckCommand
{
    private const string Peers = "clients are the users that run them";

    public static Command Command { get; } = new()
    {
        Name = "check",
        Summary = "check a configuration and say what it would do",
        Options = [SharedOptions.Config, SharedOptions.Json],
        Remarks = """
            Prints every error as FILE:LINE:COLUMN: what is wrong; or says that the file is valid, where
            the broker would listen, and what to be aware of. Without -c it describes the embedded default.
            """,
        ExitCodes = "0 valid, 1 failed",
        ReadsConfiguration = true,
        Run = Run,
    };

    private static int Run(Arguments args, CommandContext context)
    {
        bool isJson = args.Has(SharedOptions.Json);
        BrokerConfiguration? configuration = ConfigurationFile.Read(args.Text(SharedOptions.Config), context, out IReadOnlyList<string> errors);
        if (configuration is null)
        {
            if (!isJson) throw CommandException.Configuration(errors);
            context.WriteJson(new CheckAnswer(false, errors, [], []), VerbJson.Default.CheckAnswer);
            return ExitCode.Configuration;
        }

        string[] effects = [.. EffectsOf(configuration)];
        if (isJson)
        {
            context.WriteJson(new CheckAnswer(true, [], effects, configuration.Warnings), VerbJson.Default.CheckAnswer);
            return ExitCode.Success;
        }

        context.Out.WriteLine($"{(configuration.File is null ? "the embedded default" : Printable.Escape(configuration.File))} is valid");
        foreach (string effect in effects) context.Out.WriteLine($"  {Printable.Escape(effect)}");
        foreach (string warning in configuration.Warnings) context.Out.WriteLine($"warning: {warning}");
        return ExitCode.Success;
    }

    private static IEnumerable<string> EffectsOf(BrokerConfiguration configuration)
    {
        foreach (ListenerSettings listener in configuration.Listeners)
        {
            yield return $"{listener.Name}, {Before(listener.Proxies)}{Who(listener)}, at most {listener.MaxConnections} connections";
        }

        yield return $"data in {configuration.Node.DataDirectory}";
        if (configuration.Auth.Users is { } users) yield return $"{users.Entries.Count} user(s) in the password file";
        if (configuration.Auth.Tokens is not null) yield return "JSON Web Tokens accepted as passwords";
        if (configuration.Auth.Rules.Rules.Count > 0) yield return $"{configuration.Auth.Rules.Rules.Count} access rule(s)";
    }

    private static string Before(TrustedProxies? proxies) => proxies is null ? "" : "behind a proxy (PROXY header), ";

    private static string Who(ListenerSettings listener) => listener.Tls?.ClientAuthentication switch
    {
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
internal sealed record CheckAnswer(bool Valid, IReadOnlyList<string> Errors, IReadOnlyList<string> Effects, IReadOnlyList<string> Warnings);
