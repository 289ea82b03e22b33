namespace EdgeBroker.Testing;

/// <summary>
/// A numbered statement of the specification that the test would show to be violated. One test may carry several.
/// </summary>
/// <param name="id">The number: <c>MQTT-4.3.3-10</c>.</param>
/// <param name="version">Of which specification: <c>5.0</c> or <c>3.1.1</c>, which number alike and mean different things.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class RequirementAttribute(string id, string version = "5.0") : Attribute
{
    public string Id { get; } = id;

    public string Version { get; } = version;
}
