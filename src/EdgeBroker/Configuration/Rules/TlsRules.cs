using EdgeBroker.Configuration.Schema;
using EdgeBroker.Configuration.Toml;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Configuration.Rules;

/// <summary>What the keys of a <c>[listener.tls]</c> mean together, and what the files they name hold.</summary>
internal sealed class TlsRules(string baseDirectory, DateTimeOffset now, ConfigurationErrors errors, List<string> warnings)
{
    /// <summary>The options; null when something is missing, which has been reported.</summary>
    public TlsOptions? Apply(ListenerDraft listener)
    {
        if (listener.Tls is not { } draft || listener.Table.Find("tls")?.Node is not TomlTable table)
        {
            errors.Add(
                listener.At("protocol"), $"protocol \"{listener.Protocol}\" needs a table [listener.tls] with cert and key; \"edgebroker cert\" makes both");
            return null;
        }

        int before = errors.Count;
        List<CertificateFiles> certificates = Certificates(draft, table);
        TlsOptions options = draft.Options with
        {
            Certificates = certificates,
            ClientCaFile = Full(draft.Options.ClientCaFile),
            RevocationFile = Full(draft.Options.RevocationFile),
        };
        CheckClients(options, table);
        if (errors.Count > before) return null;
        return Load(options, listener, table) ? options : null;
    }

    private List<CertificateFiles> Certificates(TlsDraft draft, TomlTable table)
    {
        var certificates = new List<CertificateFiles>();
        if (draft.Certificate is not null && draft.Key is not null)
        {
            certificates.Add(new CertificateFiles(Full(draft.Certificate), Full(draft.Key)));
        }
        else if (draft.Certificate is not null || draft.Key is not null)
        {
            errors.Add(
                table.Position,
                $"[listener.tls] has \"{(draft.Key is null ? "cert" : "key")}\" alone; \"{(draft.Key is null ? "key" : "cert")}\" belongs to it");
        }
        else if (draft.Certificates.Count == 0)
        {
            errors.Add(table.Position, "[listener.tls] needs \"cert\" and \"key\"; \"edgebroker cert\" makes both");
        }

        foreach (CertificateDraft further in draft.Certificates)
        {
            if (further.Certificate.Length > 0 && further.Key.Length > 0) certificates.Add(new CertificateFiles(Full(further.Certificate), Full(further.Key)));
        }

        return certificates;
    }

    private void CheckClients(TlsOptions options, TomlTable table)
    {
        bool asks = options.ClientAuthentication != ClientAuthentication.None;
        if (asks && options.ClientCaFile is null)
        {
            errors.Add(At(table, "client_auth"), "client_auth needs \"client_ca\": the file of the authority whose certificates of clients are good");
        }

        if (!asks && options.ClientCaFile is not null)
        {
            errors.Add(At(table, "client_ca"), "client_ca does nothing without client_auth = \"request\" or \"require\"");
        }

        if (!asks && options.RevocationFile is not null) errors.Add(At(table, "crl"), "crl does nothing without client_auth = \"request\" or \"require\"");
        if (!asks && table.Find("identity") is not null)
        {
            errors.Add(At(table, "identity"), "identity does nothing without client_auth = \"request\" or \"require\"");
        }
    }

    private bool Load(TlsOptions options, ListenerDraft listener, TomlTable table)
    {
        try
        {
            TlsMaterial material = TlsMaterial.Load(options);
            foreach (string finding in CertificateFindings.Of(material, now)) warnings.Add($"{table.Position}: {Printable.Escape(finding)}");
            WarnOfOtherName(material, listener);
            return true;
        }
        catch (CertificateFileException e)
        {
            errors.Add(PlaceOf(e.File, table), $"{Printable.Escape(e.File)} {Printable.Escape(e.Message)}");
            return false;
        }
    }

    private void WarnOfOtherName(TlsMaterial material, ListenerDraft listener)
    {
        if (listener.Address is not { IsSpecific: true } address) return;
        string host = address.Host.Trim('[', ']');
        List<CertificateNames> names = [.. material.Certificates.Select(pair => CertificateNames.Of(pair.Certificate))];
        if (!names.Exists(n => n.Match(host)) && names.Exists(n => n.DnsNames.Count + n.Addresses.Count > 0))
        {
            warnings.Add(
                $"{listener.At("address")}: no certificate of this listener names {Printable.Escape(host)}: clients that connect by that name refuse it");
        }
    }

    /// <summary>The key that names a file.</summary>
    private SourcePosition PlaceOf(string file, TomlTable table)
    {
        if (table.Find("certificate")?.Node is TomlTableArray further)
        {
            foreach (TomlTable one in further.Tables)
            {
                if (Named(one, file) is { } place) return place;
            }
        }

        return Named(table, file) ?? table.Position;
    }

    private SourcePosition? Named(TomlTable table, string file)
    {
        foreach (TomlEntry entry in table.Entries)
        {
            if (entry.Node is TomlScalar { Syntax: Tomlyn.Syntax.StringValueSyntax { Value: { Length: > 0 } text } } && Full(text) == file)
            {
                return entry.Node.Position;
            }
        }

        return null;
    }

    private static SourcePosition At(TomlTable table, string key) => table.Find(key)?.Node.Position ?? table.Position;

    [return: System.Diagnostics.CodeAnalysis.NotNullIfNotNull(nameof(path))]
    private string? Full(string? path) => path is null ? null : Path.GetFullPath(path, baseDirectory);
}
