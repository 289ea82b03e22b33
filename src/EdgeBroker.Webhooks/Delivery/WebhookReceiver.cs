using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace EdgeBroker.Webhooks.Delivery;

/// <summary>What came of a request.</summary>
internal enum PostOutcome
{
    /// <summary>The receiver has it.</summary>
    Accepted,

    /// <summary>It is worth another try.</summary>
    Failed,

    /// <summary>The receiver does not want it, now or later.</summary>
    Rejected,

    /// <summary>The receiver wants nothing any more.</summary>
    Gone,
}

/// <summary>What came of a request, and why.</summary>
/// <param name="Outcome">What.</param>
/// <param name="Cause">Why it did not arrive; empty where it did.</param>
/// <param name="RetryAfter">When the receiver wants to be asked again; null: it does not say.</param>
internal readonly record struct PostResult(PostOutcome Outcome, string Cause = "", TimeSpan? RetryAfter = null);

/// <summary>Posts to one URL, by one connection, within bounds of size and time, and is not led elsewhere.</summary>
internal sealed class WebhookReceiver : IDisposable
{
    private const int MostAnswerBytes = 4 * 1024;
    private const int MostHeaderKB = 16;

    private readonly WebhookOptions _options;
    private readonly WebhookSource _source;
    private readonly TimeProvider _time;
    private readonly HttpMessageInvoker _client;

    public WebhookReceiver(WebhookOptions options, WebhookSource source, TimeProvider time)
    {
        _options = options;
        _source = source;
        _time = time;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ActivityHeadersPropagator = null,
            MaxConnectionsPerServer = 1,
            MaxResponseHeadersLength = MostHeaderKB,
            MaxResponseDrainSize = 0,
            // A name may get another address.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        if (options.Authorities is { } authorities)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust };
            policy.CustomTrustStore.AddRange(authorities);
            handler.SslOptions.CertificateChainPolicy = policy;
        }

        _client = new HttpMessageInvoker(handler);
    }

    /// <summary>Posts a request once.</summary>
    /// <exception cref="OperationCanceledException">The caller has cancelled.</exception>
    public async Task<PostResult> PostAsync(WebhookRequest request, CancellationToken cancel)
    {
        using var timeout = new CancellationTokenSource(_options.Timeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancel);
        try
        {
            using HttpRequestMessage message = MessageOf(request);
            using HttpResponseMessage answer = await _client.SendAsync(message, both.Token).ConfigureAwait(false);
            PostResult result = Judge(answer);
            await ReadAsync(answer, both.Token).ConfigureAwait(false);
            return result;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new PostResult(PostOutcome.Failed, string.Create(CultureInfo.InvariantCulture, $"no answer within {_options.Timeout.TotalSeconds:0.###} s"));
        }
        catch (Exception e) when (e is HttpRequestException or IOException or AuthenticationException or InvalidOperationException)
        {
            return new PostResult(PostOutcome.Failed, (e.InnerException ?? e).Message);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private HttpRequestMessage MessageOf(WebhookRequest request)
    {
        var content = new ByteArrayContent(request.Body);
        content.Headers.ContentType = new MediaTypeHeaderValue(request.ContentType) { CharSet = "utf-8" };
        var message = new HttpRequestMessage(HttpMethod.Post, _options.Url) { Content = content, Version = HttpVersion.Version11 };
        HttpRequestHeaders headers = message.Headers;
        headers.TryAddWithoutValidation("User-Agent", "edgebroker/" + _source.Version);
        headers.TryAddWithoutValidation("webhook-id", request.Id);
        long unixSeconds = _time.GetUtcNow().ToUnixTimeSeconds();
        headers.TryAddWithoutValidation("webhook-timestamp", unixSeconds.ToString(CultureInfo.InvariantCulture));
        headers.TryAddWithoutValidation("webhook-dropped-before", request.DroppedBefore.ToString(CultureInfo.InvariantCulture));
        if (_options.Secrets.Count > 0)
        {
            headers.TryAddWithoutValidation("webhook-signature", WebhookSignature.Sign(_options.Secrets, request.Id, unixSeconds, request.Body));
        }

        foreach ((string name, string value) in _options.Headers) headers.TryAddWithoutValidation(name, value);
        return message;
    }

    private PostResult Judge(HttpResponseMessage answer)
    {
        int status = (int)answer.StatusCode;
        string cause = string.Create(CultureInfo.InvariantCulture, $"the answer is {status}");
        return status switch
        {
            >= 200 and < 300 => new PostResult(PostOutcome.Accepted),
            410 => new PostResult(PostOutcome.Gone, cause),
            429 or 503 => new PostResult(PostOutcome.Failed, cause, RetryAfterOf(answer)),
            408 or 425 or >= 500 => new PostResult(PostOutcome.Failed, cause),
            _ => new PostResult(PostOutcome.Rejected, cause),
        };
    }

    private TimeSpan? RetryAfterOf(HttpResponseMessage answer) => answer.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } when date > _time.GetUtcNow() => date - _time.GetUtcNow(),
        _ => null,
    };

    // What the receiver has to say is of no interest, but read, so that the connection can be used again. The status has said it all: an answer that breaks
    // off or has no end costs the connection, and not the delivery.
    private static async Task ReadAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        try
        {
            Stream body = await answer.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
            await using (body.ConfigureAwait(false))
            {
                byte[] bytes = new byte[MostAnswerBytes];
                await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
        }
    }
}
