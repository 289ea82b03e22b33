using EdgeBroker.Configuration.Schema;
using EdgeBroker.Telemetry;

namespace EdgeBroker.Configuration.Rules;

/// <summary>What the keys of <c>[telemetry]</c> mean together.</summary>
internal sealed class TelemetryRules(SecretFiles files, ConfigurationErrors errors)
{
    public TelemetryOptions Apply(TelemetryDraft draft)
    {
        var options = new TelemetryOptions
        {
            Protocol = draft.Protocol,
            ServiceName = draft.ServiceName,
            Interval = draft.Interval,
            Traces = draft.Traces,
            TraceSampleRate = draft.TraceSampleRate,
            Headers = files.ReadHeaders(draft.Headers ?? [], errors),
        };
        if (draft.Endpoint is not { } written) return options;
        if (Uri.TryCreate(written.Value, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" && url!.UserInfo.Length == 0)
        {
            return options with { Endpoint = url };
        }

        // Not shown: it may hold a password.
        errors.Add(written.Position, "\"endpoint\" expects the http or https URL of a collector, without user name and password");
        return options;
    }
}
