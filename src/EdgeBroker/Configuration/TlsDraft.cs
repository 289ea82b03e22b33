using EdgeBroker.Http.Tls;

namespace EdgeBroker.Configuration;

/// <summary>A <c>[listener.tls]</c> as read; paths as written.</summary>
internal sealed record TlsDraft
{
    public string? Certificate { get; init; }

    public string? Key { get; init; }

    /// <summary>The <c>[[listener.tls.certificate]]</c> tables.</summary>
    public List<CertificateDraft> Certificates { get; init; } = [];

    /// <summary>All else; its certificates are not used.</summary>
    public TlsOptions Options { get; init; } = new() { Certificates = [] };
}

/// <summary>A <c>[[listener.tls.certificate]]</c> as read.</summary>
internal sealed record CertificateDraft
{
    public string Certificate { get; init; } = "";

    public string Key { get; init; } = "";
}
