using EdgeBroker.Core.Limits;

namespace EdgeBroker.Http;

/// <summary>What the limits of connections said to a connection before anything was spent on it.</summary>
/// <param name="Admission">Its answer.</param>
internal sealed record ConnectionAdmission(Admission Admission);
