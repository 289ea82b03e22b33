using System.Globalization;
using EdgeBroker.Core.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Telemetry;

/// <summary>Carries the exporter's requests and notes whether they arrive, since the exporter itself does not say so.</summary>
internal sealed partial class ExportWatch : DelegatingHandler
{
    private readonly string _what;
    private readonly Uri _endpoint;
    private readonly ILogger _log;
    private volatile string? _problem;
    private long _succeeded;
    private long _failed;

    public ExportWatch(string what, Uri endpoint, ILogger log)
        : base(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
    {
        _what = what;
        _endpoint = endpoint;
        _log = log;
    }

    /// <summary>Requests that arrived.</summary>
    public long Succeeded => Volatile.Read(ref _succeeded);

    /// <summary>Requests that did not.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>How exporting goes.</summary>
    public HealthFinding Finding => _problem is { } problem
        ? new HealthFinding("telemetry", HealthState.Warning, $"{_what} do not reach {Shown}: {problem}")
        : new HealthFinding("telemetry", HealthState.Good, $"{_what} go to {Shown}");

    private string Shown => _endpoint.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);

    /// <inheritdoc/>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            HttpResponseMessage response = base.Send(request, cancellationToken);
            Note(response);
            return response;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
        {
            Note(exception.Message);
            throw;
        }
    }

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            HttpResponseMessage response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            Note(response);
            return response;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
        {
            Note(exception.Message);
            throw;
        }
    }

    private void Note(HttpResponseMessage response)
    {
        // An error of gRPC before there is a body stands among the headers, with status 200.
        bool isRefused = response.Headers.TryGetValues("grpc-status", out IEnumerable<string>? codes) && codes.First() != "0";
        Note(response.IsSuccessStatusCode && !isRefused ? null : string.Create(CultureInfo.InvariantCulture, $"the answer is {(int)response.StatusCode}"));
    }

    private void Note(string? problem)
    {
        bool wasWell = _problem is null;
        _problem = problem;
        if (problem is null)
        {
            Interlocked.Increment(ref _succeeded);
            if (!wasWell) LogWell(_log, _what, Shown);
        }
        else
        {
            Interlocked.Increment(ref _failed);
            if (wasWell) LogProblem(_log, _what, Shown, problem);
        }
    }

    [LoggerMessage(13000, LogLevel.Warning, "{What} do not reach {Endpoint}: {Problem}; it is tried again and again")]
    private static partial void LogProblem(ILogger log, string what, string endpoint, string problem);

    [LoggerMessage(13001, LogLevel.Information, "{What} reach {Endpoint} again")]
    private static partial void LogWell(ILogger log, string what, string endpoint);
}
