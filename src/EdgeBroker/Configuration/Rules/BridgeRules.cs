using EdgeBroker.Bridge;
using EdgeBroker.Bridge.Planning;
using EdgeBroker.Configuration.Schema;
using EdgeBroker.Configuration.Toml;

namespace EdgeBroker.Configuration.Rules;

/// <summary>What the keys of <c>[[bridge]]</c> mean together, and what the other side would refuse.</summary>
internal sealed class BridgeRules(
    string node, string baseDirectory, Func<string, string?> environment, TimeProvider time, ConfigurationErrors errors, List<string> warnings)
{
    private readonly SecretFiles _files = new(baseDirectory, environment, errors, warnings);

    /// <summary>The bridges; those that are wrong have been reported.</summary>
    public IReadOnlyList<BridgeOptions> Apply(IReadOnlyList<BridgeDraft> drafts)
    {
        var bridges = new List<BridgeOptions>();
        foreach (BridgeDraft draft in drafts)
        {
            if (draft.Settings.Name.Length > 0 && bridges.Exists(other => other.Name == draft.Settings.Name))
            {
                errors.Add(draft.At("name"), $"a [[bridge]] named \"{Printable.Escape(draft.Settings.Name)}\" stands further up already");
            }
            else if (Plan(draft) is { } bridge)
            {
                bridges.Add(bridge);
            }
        }

        return bridges;
    }

    private BridgeOptions? Plan(BridgeDraft draft)
    {
        int before = errors.Count;
        BridgeSettings settings = draft.Settings with
        {
            Routes = [.. draft.Routes.Select(route => route.Settings)],
            Lanes = [.. draft.Lanes.Select(lane => lane.Lane)],
            Tls = draft.Settings.Tls is { } tls ? CheckTls(tls, draft) : null,
            Password = Reader(draft.Password, "password"),
            DeviceKey = Reader(draft.DeviceKey, "device_key"),
            TokenKey = Reader(draft.TokenKey, "jwt_key"),
            AwsKeyId = Reader(draft.AwsKeyId, "aws_key_id"),
            AwsSecretKey = Reader(draft.AwsSecretKey, "aws_secret_key"),
            AwsSessionToken = Reader(draft.AwsSessionToken, "aws_session_token"),
            ProxyPassword = Reader(draft.ProxyPassword, "proxy_password"),
        };
        CheckDeviceKey(settings, draft);
        var problems = new BridgeProblems();
        BridgeOptions? options = new BridgePlanner(node, time).Plan(settings, Fingerprint(draft), problems);
        foreach (BridgeProblem problem in problems.All) errors.Add(PlaceOf(problem, draft), Printable.Escape(problem.Text));
        return errors.Count > before ? null : options;
    }

    private static SourcePosition PlaceOf(BridgeProblem problem, BridgeDraft draft)
    {
        if (problem.Route is null) return draft.At(problem.Key);
        BridgeRouteDraft? route = draft.Routes.FirstOrDefault(one => ReferenceEquals(one.Settings, problem.Route));
        return route?.At(problem.Key) ?? draft.Table.Position;
    }

    /// <summary>Reads a secret: once now, to find what is wrong, and anew whenever it is asked for.</summary>
    private Func<byte[]?>? Reader(SecretSource? source, string key)
    {
        if (source is null || _files.Read(source, key) is not { } first) return null;
        if (source.File is null) return () => first;
        string path = _files.FullPath(source.File);
        return () => Trim(File.ReadAllBytes(path));
    }

    // Editors end the last line.
    private static byte[] Trim(byte[] text)
    {
        int end = text.Length;
        while (end > 0 && text[end - 1] is (byte)'\n' or (byte)'\r') end--;
        return text[..end];
    }

    private BridgeTls CheckTls(BridgeTls tls, BridgeDraft draft)
    {
        SourcePosition place = draft.At("tls");
        if (tls.KeyFile is not null && tls.CertificateFile is null) errors.Add(place, "[bridge.tls] has \"key\" alone; \"cert\" belongs to it");
        foreach ((string? path, string key) in new[] { (tls.AuthorityFile, "ca"), (tls.CertificateFile, "cert"), (tls.KeyFile, "key") })
        {
            if (path is not null) _files.Read(path, place, key, isSecret: key == "key");
        }

        return tls with { AuthorityFile = Full(tls.AuthorityFile), CertificateFile = Full(tls.CertificateFile), KeyFile = Full(tls.KeyFile) };
    }

    private void CheckDeviceKey(BridgeSettings settings, BridgeDraft draft)
    {
        if (settings.DeviceKey?.Invoke() is not { } key) return;
        if (!System.Buffers.Text.Base64.IsValid(Trim(key))) errors.Add(draft.At("device_key"), "\"device_key\": what stands there is not base64");
    }

    private string? Full(string? path) => path is null ? null : _files.FullPath(path);

    /// <summary>What is written, with where it is written: secrets that are files may change without that.</summary>
    private static string Fingerprint(BridgeDraft draft)
    {
        var document = new TomlDocument();
        BridgeTable.Schema.WriteValues(document, draft, new BridgeDraft(TomlTable.Nowhere), "", new Dictionary<string, SourcePosition>());
        return document.ToString()!;
    }
}
