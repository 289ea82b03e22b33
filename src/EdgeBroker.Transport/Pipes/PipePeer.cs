using System.Net;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Transport.Pipes;

/// <summary>Who is at the other end of a pipe.</summary>
/// <param name="EndPoint">Where it is, for logs.</param>
/// <param name="Address">Its IP address; null: it has none.</param>
/// <param name="Certificate">What the certificate it has shown is worth by now; null: it has shown none.</param>
public sealed record PipePeer(string EndPoint, IPAddress? Address = null, CertificateStanding? Certificate = null);
