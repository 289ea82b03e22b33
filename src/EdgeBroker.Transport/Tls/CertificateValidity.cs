namespace EdgeBroker.Transport.Tls;

/// <summary>A certificate that a listener presents.</summary>
/// <param name="Listener">The listener's protocol and address, as <c>mqtts on 0.0.0.0:8883</c>.</param>
/// <param name="File">Where it is from.</param>
/// <param name="Name">Its common name, or its subject.</param>
/// <param name="NotAfter">Its end.</param>
public sealed record CertificateValidity(string Listener, string File, string Name, DateTimeOffset NotAfter)
{
    /// <summary>Its beginning.</summary>
    public DateTimeOffset NotBefore { get; init; }

    /// <summary>What else is wrong, or will be soon, with the listener's files, one sentence each; of its first certificate.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Those of a listener's files.</summary>
    /// <param name="files">The files.</param>
    /// <param name="listener">The listener's name.</param>
    /// <param name="now">The time by which they are judged.</param>
    public static IEnumerable<CertificateValidity> Of(TlsFiles files, string listener, DateTimeOffset now)
    {
        TlsMaterial material = files.Current;
        return material.Certificates.Select((pair, i) => new CertificateValidity(
            listener, pair.Files.CertificateFile, CertificateFindings.Shown(pair.Certificate), new DateTimeOffset(pair.Certificate.NotAfter))
        {
            NotBefore = new DateTimeOffset(pair.Certificate.NotBefore),
            Warnings = i == 0 ? [.. WarningsOf(files, material, now)] : [],
        });
    }

    private static IEnumerable<string> WarningsOf(TlsFiles files, TlsMaterial material, DateTimeOffset now)
    {
        if (files.Refusal is { } refusal) yield return "the changed certificate files are not used, the old ones stay in use: " + refusal;
        foreach (string finding in CertificateFindings.OfClients(material, now)) yield return finding;
    }
}
