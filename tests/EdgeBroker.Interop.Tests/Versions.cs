namespace EdgeBroker.Interop.Tests;

/// <summary>The versions of MQTT, as test names show them.</summary>
internal static class Versions
{
    public const string V311 = "3.1.1";

    public const string V5 = "5.0";

    public static TheoryData<string> All => new(V311, V5);

    /// <summary>Each version with each QoS.</summary>
    public static TheoryData<string, int> AllWithQoS
    {
        get
        {
            var cases = new TheoryData<string, int>();
            foreach (string version in new[] { V311, V5 })
            {
                for (int qos = 0; qos <= 2; qos++) cases.Add(version, qos);
            }

            return cases;
        }
    }
}
