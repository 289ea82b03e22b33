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
    public static HttpEndpoint Make(MeterRegistry meters) =>
        new(HttpSurfaces.Metrics, "GET", "/metrics", EndpointAccess.Viewer, exchange =>
        {
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
