using System.Buffers;
using EdgeBroker.Core.Metrics;
using EdgeBroker.Http.Routing;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Http.Metrics;

/// <summary><c>GET /metrics</c>: every number, for Prometheus and whoever reads its text.</summary>
public static class MetricsEndpoint
{
    /// <summary>The endpoint.</summary>
    /// <param name="meters">What is told.</param>
    /// <param name="messages">What is measured of messages from the first time on that somebody asks.</param>
    public static HttpEndpoint Make(MeterRegistry meters, MessageMeters messages)
    {
        var measuring = new Lazy<IDisposable>(messages.Measure);
        return new HttpEndpoint(HttpSurfaces.Metrics, "GET", "/metrics", EndpointAccess.OpenApart, exchange =>
        {
            _ = measuring.Value;
            bool isOpenMetrics = PrometheusText.IsOpenMetrics(exchange.Context.Request.Headers.Accept.ToString());
            var text = new ArrayBufferWriter<byte>(16 * 1024);
            PrometheusText.Write(meters, text, isOpenMetrics);
            return exchange.AnswerAsync(text.WrittenMemory, isOpenMetrics ? PrometheusText.OpenMetricsContentType : PrometheusText.ContentType);
        })
        {
            Summary = "Every number the broker tells of itself, as Prometheus reads it",
            AnswersType = PrometheusText.ContentType,
        };
    }
}
