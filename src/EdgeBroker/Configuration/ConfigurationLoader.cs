using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Bridge;
using EdgeBroker.Cli.Options;
using EdgeBroker.Configuration.Rules;
using EdgeBroker.Configuration.Schema;
using EdgeBroker.Configuration.Toml;
using EdgeBroker.Http.Access;
using EdgeBroker.Telemetry;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Webhooks;

namespace EdgeBroker.Configuration;

/// <summary>
/// Reads broker.toml and the <c>conf.d/*.toml</c> beside it into a <see cref="BrokerConfiguration"/>, or reports everything that is wrong with them.
/// Without a file it hands out the embedded default.
/// </summary>
/// <param name="environment">The environment's variables.</param>
/// <param name="workingDirectory">Where paths on the command line start.</param>
/// <param name="time">The clock, for dates in certificates; null: the system's.</param>
/// <param name="hasOpenSsl">Whether this machine has OpenSSL; null: look for it.</param>
internal sealed class ConfigurationLoader(
    Func<string, string?> environment, string workingDirectory, TimeProvider? time = null, Func<bool>? hasOpenSsl = null)
{
    private const string FragmentDirectory = "conf.d";
    private const string DefaultDataDirectory = "edgebroker-data";

    private readonly ConfigurationErrors _errors = new();
    private readonly List<string> _warnings = [];
    private readonly List<string> _replaced = [];
    private readonly List<string> _texts = [];

    /// <summary>What stands in the main file, where that is not to be read; null: what is there.</summary>
    public string? MainText { get; init; }

    /// <summary>Where the data is, as far as it can be made out, also when the rest of the file is wrong; once loaded.</summary>
    public string DataDirectory { get; private set; } = "";

    /// <summary>Whether the file or the service manager says so; once loaded.</summary>
    public bool IsDataDirectorySet { get; private set; }

    /// <summary>Names what was read, file by file: two readings of the same texts have the same tag. Needs OpenSSL.</summary>
    public string Tag => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', _texts))).AsSpan(0, 12));

    /// <summary>Null when <paramref name="errors"/> has lines.</summary>
    public BrokerConfiguration? Load(string? path, out string[] errors)
    {
        BrokerConfiguration read = Defaults();
        if (path is not null) read = Read(path, read);
        string baseDirectory = path is null ? workingDirectory : Path.GetDirectoryName(FullPath(path)) ?? workingDirectory;
        DataDirectory = Path.GetFullPath(read.Node.DataDirectory, baseDirectory);
        IsDataDirectorySet = read.Origins.ContainsKey("node.data_dir") || !string.IsNullOrEmpty(environment("STATE_DIRECTORY"));
        if (UserOfOpenSsl(read.Written) is { } user && !(hasOpenSsl ?? OpenSsl.IsThere)())
        {
            // Reading what is needed for it would end the process.
            _errors.Add(user, OpenSsl.Missing);
            errors = _errors.ToLines();
            return null;
        }

        AuthOptions auth = new AuthRules(environment, baseDirectory, _errors, _warnings).Apply(read.Written);
        var tlsRules = new TlsRules(baseDirectory, (time ?? TimeProvider.System).GetUtcNow(), _errors, _warnings);
        HttpOptions http = new HttpRules(environment, baseDirectory, _errors, _warnings).Apply(read.Written, auth, read.Node.Name);
        var secrets = new SecretFiles(baseDirectory, environment, _errors, _warnings);
        var pskRules = new PskRules(secrets, _errors, _warnings);
        var listeners = new ListenerRules(_errors, _warnings, tlsRules, pskRules, auth.HasCredentials);
        IReadOnlyList<ListenerDraft> written = listeners.Apply(read.Written.Listeners);
        IReadOnlyList<WebhookOptions> webhooks = new WebhookRules(secrets, _errors, _warnings).Apply(read.Written.Webhooks);
        TelemetryOptions telemetry = new TelemetryRules(secrets, _errors).Apply(read.Written.Telemetry);
        var bridges = new BridgeRules(read.Node.Name, baseDirectory, environment, time ?? TimeProvider.System, _errors, _warnings);
        IReadOnlyList<BridgeOptions> bridgeOptions = bridges.Apply(read.Written.Bridges);
        ClusterOptions? cluster = new ClusterRules(baseDirectory, time ?? TimeProvider.System, _errors, _warnings)
            .Apply(read.Written.Cluster, read.Node.Name, DataDirectory, read.Storage);
        errors = _errors.ToLines();
        if (errors.Length > 0) return null;
        return read with
        {
            File = path,
            Node = read.Node with { DataDirectory = DataDirectory },
            Listeners = listeners.Settings,
            Auth = auth,
            Webhooks = webhooks,
            Http = http,
            Telemetry = telemetry,
            Bridges = bridgeOptions,
            Cluster = cluster,
            Written = read.Written with { Listeners = written },
            Warnings = _warnings,
            Replaced = _replaced,
        };
    }

    /// <summary>The place of the first table that takes OpenSSL; null: there is none.</summary>
    private static SourcePosition? UserOfOpenSsl(WrittenTables written)
    {
        if (written.Auth.PasswordFile is { } passwords) return passwords.Position;
        if (written.Auth.Jwt is { } tokens) return tokens.Position;
        if (WebhookRules.UserOfOpenSsl(written.Webhooks) is { } webhook) return webhook;
        if (written.Telemetry.Endpoint is { } collector && collector.Value.StartsWith("https:", StringComparison.OrdinalIgnoreCase)) return collector.Position;
        if (written.Http.FirstSecret is { } secret) return secret;
        if (written.Cluster is { Tls: not null } cluster) return cluster.At("tls");
        if (written.Bridges.FirstOrDefault(bridge => bridge.NeedsOpenSsl) is { } bridge) return bridge.Table.Position;
        // WebSocket's handshake takes a digest, and so do logins and the tags of CoAP.
        return written.Listeners.FirstOrDefault(NeedsOpenSsl)?.Table.Position;
    }

    private static bool NeedsOpenSsl(ListenerDraft listener) =>
        listener.Tls is not null || listener.Protocol is "ws" or "wss" or "mqtts" or "https" or "coap" or "coaps"
        || (listener.Protocol is "http" && (listener.Settings.Serve & ~(HttpSurfaces.Health | HttpSurfaces.Metrics)) != 0);

    private BrokerConfiguration Defaults()
    {
        // systemd may name several directories, separated by colons.
        string? state = environment("STATE_DIRECTORY");
        string data = string.IsNullOrEmpty(state) ? Path.Combine(workingDirectory, DefaultDataDirectory) : state.Split(':')[0];
        return BrokerConfiguration.Defaults(new NodeOptions { Name = Environment.MachineName, DataDirectory = data });
    }

    private BrokerConfiguration Read(string path, BrokerConfiguration defaults)
    {
        var noise = new List<Predicate<SourcePosition>>();
        var file = new SourceFile(Printable.Escape(path), 0);
        TomlTable? merged = ReadOne(FullPath(path), file, noise, MainText);
        // A missing file is one error; what lies beside it is not looked at.
        if (merged is null) return defaults;
        bool isEmpty = merged.Entries.Count == 0;
        int order = 1;
        foreach (string fragment in Fragments(path))
        {
            TomlTable? table = ReadOne(FullPath(fragment), new SourceFile(Printable.Escape(fragment), order++), noise);
            if (table is not null) TomlTreeBuilder.Merge(merged, table, _errors, NoteReplaced);
        }

        if (isEmpty && merged.Entries.Count == 0 && _errors.Count == 0)
        {
            _warnings.Add($"{file.Name}: sets nothing: the embedded default holds (\"edgebroker config default\" prints every key)");
        }

        int reported = _errors.Count;
        var context = new BindContext(_errors, environment, BrokerSchema.File);
        BrokerConfiguration read = BrokerSchema.File.Bind(merged, defaults, context, path: "");
        foreach (Predicate<SourcePosition> isNoise in noise) _errors.Drop(reported, isNoise);
        return read with { Origins = context.Origins };
    }

    private void NoteReplaced(string key, SourcePosition former, SourcePosition latter) => _replaced.Add($"{key}: set at {latter}, in place of {former}");

    private TomlTable? ReadOne(string fullPath, SourceFile file, List<Predicate<SourcePosition>> noise, string? text = null)
    {
        text ??= ConfigurationText.Read(fullPath, file, _errors);
        _texts.AddRange(fullPath, text ?? "");
        if (text is null) return null;
        TomlTable? table = TomlSyntax.Read(text, file, _errors, out Predicate<SourcePosition> isNoise);
        noise.Add(isNoise);
        return table;
    }

    /// <summary>The files of conf.d in the order of their names, named as the main file was.</summary>
    private string[] Fragments(string path)
    {
        string directory = Path.Combine(Path.GetDirectoryName(path) ?? "", FragmentDirectory);
        try
        {
            if (!Directory.Exists(FullPath(directory))) return [];
            string[] files = Directory.GetFiles(FullPath(directory), "*.toml");
            Array.Sort(files, StringComparer.Ordinal);
            var fragments = new List<string>(files.Length);
            foreach (string file in files)
            {
                string name = Path.GetFileName(file);
                // Editors keep locks and backups under such names.
                if (!name.StartsWith('.')) fragments.Add(Path.Combine(directory, name));
            }

            return [.. fragments];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _errors.Add(new SourceFile(Printable.Escape(directory), 1).Whole, $"cannot be read: {Printable.Escape(e.Message)}");
            return [];
        }
    }

    private string FullPath(string path) => Path.GetFullPath(path, workingDirectory);
}
