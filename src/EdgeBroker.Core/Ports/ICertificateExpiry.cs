namespace EdgeBroker.Core.Ports;

/// <summary>How long the certificates that the broker presents are valid, for health and monitoring.</summary>
public interface ICertificateExpiry
{
    /// <summary>Those in use at the moment.</summary>
    IReadOnlyList<CertificateValidity> Certificates { get; }
}

/// <summary>A certificate in use.</summary>
/// <param name="Listener">The listener's protocol and address, as <c>mqtts on 0.0.0.0:8883</c>.</param>
/// <param name="File">Where it is from.</param>
/// <param name="Name">Its common name, or its subject.</param>
/// <param name="NotAfter">Its end.</param>
public sealed record CertificateValidity(string Listener, string File, string Name, DateTimeOffset NotAfter);
