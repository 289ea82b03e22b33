using EdgeBroker.Core.Hosting;

namespace EdgeBroker.Http.Health;

/// <summary>How the broker is, for those who ask over HTTP.</summary>
public interface IHealth
{
    /// <summary>What its parts find of themselves; cheap enough to be asked each second.</summary>
    IReadOnlyList<HealthFinding> Check();
}
