using System.Net;

namespace EdgeBroker.Transport.Proxies;

/// <summary>
/// Serves a connection on a reactor until its PROXY header is there, then puts the protocol in its own place. What comes behind the header in the same receive
/// goes on to that.
/// </summary>
public sealed class ProxyHandshake : IConnectionHandler
{
    private readonly TransportConnection _connection;
    private readonly Func<IPEndPoint?, IConnectionHandler> _succeed;
    private readonly Action<string> _refused;
    private bool _hasBegun;

    /// <param name="connection">Waits for its header.</param>
    /// <param name="timeout">How long.</param>
    /// <param name="succeed">Makes the protocol side, once it is known where the client is; null: where the proxy is. Also has the connection use it.</param>
    /// <param name="refused">Is told why nothing came of the connection.</param>
    public ProxyHandshake(TransportConnection connection, TimeSpan timeout, Func<IPEndPoint?, IConnectionHandler> succeed, Action<string> refused)
    {
        _connection = connection;
        _succeed = succeed;
        _refused = refused;
        connection.SetDeadline(connection.NowMs + (long)timeout.TotalMilliseconds);
    }

    /// <inheritdoc/>
    public bool HasLoggedIn => false;

    /// <inheritdoc/>
    public int Receive(ReadOnlySpan<byte> bytes, out int announcedBytes)
    {
        announcedBytes = 0;
        switch (ProxyHeader.TryRead(bytes, out int lengthBytes, out IPEndPoint? source, out string cause))
        {
            case ProxyHeaderStatus.Incomplete:
                _hasBegun |= bytes.Length > 0;
                return 0;
            case ProxyHeaderStatus.Malformed:
                Refuse(cause);
                return bytes.Length;
            default:
                _connection.SetDeadline(long.MaxValue);
                IConnectionHandler successor = _succeed(source);
                return bytes.Length == lengthBytes ? lengthBytes : lengthBytes + successor.Receive(bytes[lengthBytes..], out announcedBytes);
        }
    }

    /// <inheritdoc/>
    public void OnCallback()
    {
        // Nobody but the protocol asks for callbacks.
    }

    /// <inheritdoc/>
    public void OnDeadline() =>
        Refuse("no complete PROXY header within limits.connect_timeout; have the proxy send one, or take proxy_protocol off the listener");

    /// <inheritdoc/>
    public void OnClosed(string explanation, bool isFault)
    {
        // A proxy that looks whether the port is open says nothing; there is nothing to tell of.
        if (_hasBegun) _refused("the connection ended within its PROXY header");
    }

    /// <summary>Ends the wait because the broker stops; on the connection's own thread.</summary>
    public void Shutdown()
    {
        _hasBegun = false;
        lock (_connection.Output.SyncRoot.Alone()) _connection.Close();
    }

    /// <summary>Ends the connection, and says why; on its own thread.</summary>
    /// <param name="cause">What is wrong and what to do about it.</param>
    public void Refuse(string cause)
    {
        _hasBegun = false;
        _refused(cause);
        Shutdown();
    }
}
