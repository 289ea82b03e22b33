namespace EdgeBroker.Cli.Certificates;

/// <summary>What <c>cert show</c> says of one certificate.</summary>
internal sealed record CertificateAnswer
{
    public required string File { get; init; }

    public required string Subject { get; init; }

    public required string Issuer { get; init; }

    public required DateTime NotBefore { get; init; }

    public required DateTime NotAfter { get; init; }

    public required IReadOnlyList<string> Names { get; init; }

    public required string Serial { get; init; }

    public required string FingerprintSha256 { get; init; }

    public required IReadOnlyList<string> Warnings { get; init; }
}

/// <summary>What <c>cert show --json</c> prints.</summary>
internal sealed record CertificateAnswers(IReadOnlyList<CertificateAnswer> Certificates);
