namespace EdgeBroker.Security.Tokens;

/// <summary>Fetches a key set over https, within bounds of size and time, and without being led elsewhere.</summary>
public sealed class KeySetServer : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly Uri _url;
    private readonly HttpClient _client;

    /// <param name="url">An https URL.</param>
    /// <param name="handler">Carries the request; null: the system's trust decides about certificates.</param>
    public KeySetServer(Uri url, HttpMessageHandler? handler = null)
    {
        if (url.Scheme != Uri.UriSchemeHttps) throw new ArgumentException("keys are fetched over https only", nameof(url));
        _url = url;
        _client = new HttpClient(handler ?? new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
        {
            Timeout = Timeout,
            MaxResponseContentBufferSize = TokenKeySet.MaxBytes,
        };
    }

    /// <summary>The key set as the server has it now.</summary>
    /// <exception cref="HttpRequestException">It could not be had.</exception>
    public async Task<byte[]> ReadAsync(CancellationToken cancellation)
    {
        using HttpResponseMessage response = await _client.GetAsync(_url, cancellation).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode) throw new HttpRequestException($"the server answered {(int)response.StatusCode}");
        return await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();
}
