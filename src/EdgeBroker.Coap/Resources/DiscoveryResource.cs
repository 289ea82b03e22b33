using System.Text;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Messages;

namespace EdgeBroker.Coap.Resources;

/// <summary><c>/.well-known/core</c>: the links of a site, those that meet all filters of the request (RFC 6690).</summary>
internal sealed class DiscoveryResource(IReadOnlyList<Link> links) : IResource
{
    /// <inheritdoc/>
    public void Handle(PendingRequest pending)
    {
        if (pending.Request.Method != CoapCode.Get)
        {
            pending.Refuse(CoapCode.MethodNotAllowed, "discovery takes GET only");
        }
        else if (pending.Request.Accept is { } accept && accept != ContentFormats.LinkFormat)
        {
            pending.Refuse(CoapCode.NotAcceptable, "links come in Content-Format 40");
        }
        else
        {
            var found = links.Where(link => pending.Request.Query.All(link.Matches));
            byte[] body = Encoding.UTF8.GetBytes(string.Join(',', found));
            pending.Respond(new CoapResponse(CoapCode.Content) { ContentFormat = ContentFormats.LinkFormat, Payload = body });
        }
    }
}
