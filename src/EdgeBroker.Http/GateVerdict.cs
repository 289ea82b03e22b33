using EdgeBroker.Core.Limits;

namespace EdgeBroker.Http;

/// <summary>What the broker's gate said to a connection before anything was spent on it.</summary>
/// <param name="Admission">Its answer.</param>
internal sealed record GateVerdict(Admission Admission);
