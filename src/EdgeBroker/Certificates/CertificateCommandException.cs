namespace EdgeBroker.Certificates;

/// <summary>Something <c>cert</c> cannot do; the message is one sentence for the user.</summary>
internal sealed class CertificateCommandException(string message) : Exception(message);
