using EdgeBroker.Cli.Options;
using EdgeBroker.Configuration;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Verbs;

/// <summary>Reads the configuration that <c>-c</c> names, for the verbs.</summary>
internal static class ConfigurationFile
{
    /// <summary>The configuration; null when there are errors.</summary>
    public static BrokerConfiguration? Read(string? file, CommandContext context, out IReadOnlyList<string> errors)
    {
        BrokerConfiguration? configuration =
            new ConfigurationLoader(context.Environment, context.WorkingDirectory, context.Time).Load(file, out string[] lines);
        errors = lines;
        return configuration;
    }

    /// <summary>What verbs need of it that do not know configurations.</summary>
    public static BrokerSettings ReadSettings(CommandContext context, string? file)
    {
        var loader = new ConfigurationLoader(context.Environment, context.WorkingDirectory, context.Time);
        if (loader.Load(file, out string[] errors) is not { } configuration)
        {
            return new BrokerSettings { DataDirectory = loader.DataDirectory, IsDataDirectorySet = loader.IsDataDirectorySet, Errors = errors };
        }

        return new BrokerSettings
        {
            DataDirectory = configuration.Node.DataDirectory,
            IsDataDirectorySet = loader.IsDataDirectorySet,
            Storage = configuration.Storage,
            Rules = configuration.Auth.Rules,
            Listeners = [.. configuration.Listeners.Select(listener => listener.Address)],
            // Names in tokens and certificates, only those who issue them know.
            KnowsUser = user => configuration.Auth.Tokens is not null || configuration.Auth.Users?.Find(user) is not null
                || configuration.Listeners.Any(listener => listener.IdentifiesPeers || listener.Tls is { ClientAuthentication: not ClientAuthentication.None }),
        };
    }
}
