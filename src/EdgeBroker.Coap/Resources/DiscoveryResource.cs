using System.Text;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;

namespace EdgeBroker.Coap.Resources;

/// <summary><c>/.well-known/core</c>: the links of a site, those that meet all filters of the request (RFC 6690).</summary>
internal sealed class DiscoveryResource(IReadOnlyList<Link> links) : IResource
{
    /// <inheritdoc/>
    public void Handle(PendingRequest request)
    {
        if (request.Request.Method != CoapCode.Get)
        {
            request.Refuse(CoapCode.MethodNotAllowed, "discovery takes GET only");
        }
        else if (request.Request.Accept is { } accept && accept != ContentFormats.LinkFormat)
        {
            request.Refuse(CoapCode.NotAcceptable, "links come in Content-Format 40");
        }
        else
        {
            var found = links.Where(link => request.Request.Query.All(link.Matches));
            byte[] body = Encoding.UTF8.GetBytes(string.Join(',', found));
            request.Respond(new CoapResponse(CoapCode.Content) { ContentFormat = ContentFormats.LinkFormat, Payload = body });
        }
    }
}
