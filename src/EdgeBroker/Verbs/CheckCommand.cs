using EdgeBroker.Http;
using EdgeBroker.Http.Tls;
using EdgeBroker.Mqtt;
using EdgeBroker.Transport.Proxies;

namespace EdgeBroker.Verbs;

/// <summary><c>edgebroker check [-c FILE]</c>: every error of a configuration, or what it would do.</summary>
internal static class CheckCommand
{
    public const string Usage = """
        usage: edgebroker check [-c FILE]

          -c, --config FILE   the configuration; conf.d/*.toml beside it is merged

        Prints every error as FILE:LINE:COLUMN: what is wrong, and exits 78; or says that
        the file is valid, where the broker would listen, and what to be aware of.
        Without -c it describes the embedded default.
        """;

    private const string Peers = "clients are the users that run them";

    public static int Run(string[] args, Surroundings world)
    {
        if (ConfigOption.Load(args, Usage, world, out int failure) is not { } configuration) return failure;
        world.Out.WriteLine($"{(configuration.File is null ? "the embedded default" : Printable.Escape(configuration.File))} is valid");
        foreach (ListenerOptions listener in configuration.Listeners)
        {
            string who = listener.IdentifiesPeers ? Peers : listener.AllowAnonymous ? "anonymous clients allowed" : "credentials required";
            world.Out.WriteLine($"  mqtt on {Printable.Escape(listener.Address)}, {Before(listener.Proxies)}{who}, at most {listener.MaxConnections} connections");
        }

        foreach (WebListenerOptions listener in configuration.WebListeners)
        {
            world.Out.WriteLine($"  {listener.ProtocolName} on {Printable.Escape(listener.Address)}, {Before(listener.Proxies)}{Who(listener)}, at most {listener.MaxConnections} connections");
        }

        world.Out.WriteLine($"  data in {Printable.Escape(configuration.Node.DataDirectory)}");
        if (configuration.Auth.Users is { } users) world.Out.WriteLine($"  {users.Entries.Count} user(s) in the password file");
        if (configuration.Auth.Tokens is not null) world.Out.WriteLine("  JSON Web Tokens accepted as passwords");
        if (configuration.Auth.Rules.Rules.Count > 0) world.Out.WriteLine($"  {configuration.Auth.Rules.Rules.Count} access rule(s)");
        foreach (string warning in configuration.Warnings) world.Out.WriteLine($"warning: {warning}");
        return ExitCode.Success;
    }

    private static string Before(TrustedProxies? proxies) => proxies is null ? "" : "behind a proxy (PROXY header), ";

    private static string Who(WebListenerOptions listener) => listener.Tls?.ClientAuthentication switch
    {
        ClientAuthentication.Require => "certificates of clients required",
        _ when listener.IdentifiesPeers => Peers,
        ClientAuthentication.Request when !listener.AllowAnonymous => "certificates of clients or credentials required",
        _ => listener.AllowAnonymous ? "anonymous clients allowed" : "credentials required",
    };
}
