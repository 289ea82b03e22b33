namespace EdgeBroker.Coap.Client;

/// <summary>A request that came to no answer; the message says why, in words for whoever asked.</summary>
/// <param name="message">Why.</param>
/// <param name="inner">Where it was noticed.</param>
public sealed class CoapClientException(string message, Exception? inner = null) : Exception(message, inner);
