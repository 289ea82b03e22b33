namespace EdgeBroker.Client;

/// <summary>
/// Whose turn it is of several servers. One that does not answer gives way to the next at once; when all have been tried, it is time to wait. One thread at a
/// time.
/// </summary>
/// <param name="servers">The servers, the preferred one first.</param>
/// <param name="order">Which of them is connected to.</param>
public sealed class ServerRotation(IReadOnlyList<IClientTransport> servers, ServerOrder order)
{
    private int _current;
    private int _triedInVain;
    private bool _isBackAtFirst;

    /// <summary>The server whose turn it is.</summary>
    public IClientTransport Current => servers[_current];

    /// <summary>Its place among the servers.</summary>
    public int Index => _current;

    /// <summary>Whether it is time to wait before the next attempt: all have been tried, or one that answered was lost.</summary>
    public bool IsRoundOver => !_isBackAtFirst && (_triedInVain == 0 || _triedInVain >= servers.Count);

    /// <summary>Whether the connection is to one that stands in for the first.</summary>
    public bool MayFailBack => order == ServerOrder.PrimaryFirst && _current != 0;

    /// <summary>The server whose turn it is was connected to.</summary>
    public void Connected()
    {
        _triedInVain = 0;
        _isBackAtFirst = false;
    }

    /// <summary>The server whose turn it is could not be connected to.</summary>
    public void Failed()
    {
        _isBackAtFirst = false;
        if (_triedInVain >= servers.Count) _triedInVain = 0;
        _triedInVain++;
        _current = (_current + 1) % servers.Count;
    }

    /// <summary>The connection was lost.</summary>
    public void Lost()
    {
        _triedInVain = 0;
        // The one that stands in keeps the turn until the first answers; going in turns, the next has it.
        if (order == ServerOrder.RoundRobin) _current = (_current + 1) % servers.Count;
    }

    /// <summary>The first has the turn again, and at once.</summary>
    public void FailBack()
    {
        _current = 0;
        _isBackAtFirst = true;
    }

    /// <summary>
    /// Ends when the first server can be reached again. Only its stream is opened: CONNECT could take the session from the connection there is.
    /// </summary>
    /// <param name="options">How often to look, and how long an attempt may take.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task WaitForFirstAsync(MqttClientOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        while (true)
        {
            await Task.Delay(options.FailBackInterval, options.TimeProvider, cancellationToken).ConfigureAwait(false);
            using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
            try
            {
                await using Stream stream = await servers[0].OpenAsync(either.Token).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // Not yet.
            }
        }
    }
}
