using EdgeBroker.Core;
using EdgeBroker.Http;
using EdgeBroker.Logging;
using EdgeBroker.Mqtt;

namespace EdgeBroker.Reloading;

/// <summary>The parts of a broker at work that a reload reaches.</summary>
internal sealed class RunningBroker
{
    public required Broker Broker { get; init; }

    public required AccessControl Access { get; init; }

    public required MqttServer Plain { get; init; }

    /// <summary>The secure and web listeners; null while there have been none.</summary>
    public WebServer? Web { get; set; }

    /// <summary>Makes <see cref="Web"/> without listeners, when the first is configured.</summary>
    public required Func<WebServer> MakeWeb { get; init; }

    public required LineLoggerFactory Loggers { get; init; }

    /// <summary>Where it listens.</summary>
    public IEnumerable<string> EndPoints => Plain.EndPoints.Concat(Web?.EndPoints ?? []);
}
