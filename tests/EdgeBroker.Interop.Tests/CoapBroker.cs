using EdgeBroker.Testing.Published;

namespace EdgeBroker.Interop.Tests;

/// <summary>The executable with a listener for CoAP, on a port that the system gives.</summary>
/// <param name="broker">The broker; ends with this.</param>
/// <param name="root">Its URI, up to the path.</param>
internal sealed class CoapBroker(PublishedBroker broker, string root) : IDisposable
{
    /// <summary>Where it listens for plain MQTT.</summary>
    public int Port => broker.Port;

    /// <summary>Its URI, up to the path.</summary>
    public string Root => root;

    /// <summary>Starts it, and waits until it listens.</summary>
    public static async Task<CoapBroker> StartAsync()
    {
        PublishedBroker broker = await PublishedBroker.StartAsync("[[listener]]\nprotocol = \"coap\"\naddress = \"127.0.0.1:0\"\n");
        const string says = "listening for CoAP on ";
        string line = await broker.Process.LineAsync(line => line.Contains(says, StringComparison.Ordinal));
        return new CoapBroker(broker, "coap://" + line[(line.IndexOf(says, StringComparison.Ordinal) + says.Length)..].Trim() + "/");
    }

    public void Dispose() => broker.Dispose();
}
