using System.Reflection;
using EdgeBroker.Configuration;
using EdgeBroker.Core;
using EdgeBroker.Core.Limits;
using EdgeBroker.Reloading;
using EdgeBroker.Storage;
using EdgeBroker.Transport.Listeners;

namespace EdgeBroker.Tests.Reloading;

/// <summary>No option changes without a word: each is either applied or named as taking a restart. One that is added later is found here.</summary>
public sealed class ConfigurationChangesTests
{
    private static readonly BrokerConfiguration Before = new()
    {
        Node = new NodeOptions { Name = "n", DataDirectory = "/d" },
        Listeners = [new ListenerSettings { Protocol = ListenerProtocol.Mqtt, Address = "127.0.0.1:1883" }],
        Mqtt = new MqttOptions(),
        Storage = new StorageOptions(),
        Log = new LogOptions(),
    };

    public static TheoryData<string> MqttOptionNames => Names<MqttOptions>();

    public static TheoryData<string> LimitOptionNames => Names<LimitOptions>();

    public static TheoryData<string> StorageOptionNames => Names<StorageOptions>();

    public static TheoryData<string> NodeOptionNames => Names<NodeOptions>();

    public static TheoryData<string> LogOptionNames => Names<LogOptions>();

    [Fact]
    public void Nothing_changed_is_nothing_found()
    {
        ConfigurationChanges changes = ConfigurationChanges.Find(Before, Before with { Mqtt = Before.Mqtt with { } });
        Assert.Empty(changes.Applied);
        Assert.Empty(changes.NeedsRestart);
        Assert.False(changes.IsReviewDue);
    }

    [Theory]
    [MemberData(nameof(MqttOptionNames))]
    public void Each_option_of_mqtt(string name) => IsNoticed(Before with { Mqtt = Changed(Before.Mqtt, name) });

    [Theory]
    [MemberData(nameof(LimitOptionNames))]
    public void Each_option_of_limits(string name) => IsNoticed(Before with { Limits = Changed(Before.Limits, name) });

    [Theory]
    [MemberData(nameof(StorageOptionNames))]
    public void Each_option_of_storage(string name) => IsNoticed(Before with { Storage = Changed(Before.Storage, name) });

    [Theory]
    [MemberData(nameof(NodeOptionNames))]
    public void Each_option_of_node(string name) => IsNoticed(Before with { Node = Changed(Before.Node, name) });

    [Theory]
    [MemberData(nameof(LogOptionNames))]
    public void Each_option_of_log(string name) => IsNoticed(Before with { Log = Changed(Before.Log, name) });

    private static void IsNoticed(BrokerConfiguration after)
    {
        ConfigurationChanges changes = ConfigurationChanges.Find(Before, after);
        Assert.Single(changes.Applied.Concat(changes.NeedsRestart));
        // What is in force afterwards differs from what was read by exactly what takes a restart.
        ConfigurationChanges left = ConfigurationChanges.Find(ConfigurationChanges.Merge(Before, after), after);
        Assert.Empty(left.Applied);
        Assert.Equal(changes.NeedsRestart, left.NeedsRestart);
    }

    private static T Changed<T>(T options, string name)
        where T : class
    {
        var copy = (T)typeof(T).GetMethod("<Clone>$")!.Invoke(options, null)!;
        PropertyInfo property = typeof(T).GetProperty(name)!;
        property.SetValue(copy, property.GetValue(options) switch
        {
            int number => number + 1,
            long number => number + 1,
            bool flag => !flag,
            string text => text + "x",
            TimeSpan time => time + TimeSpan.FromSeconds(1),
            MemoryLimit => MemoryLimit.None,
            null when property.PropertyType == typeof(int?) => 7,
            RateLimit or null => new RateLimit(7, TimeSpan.FromSeconds(1), 7),
            Enum value => Enum.ToObject(property.PropertyType, Convert.ToInt32(value, null) == 0 ? 1 : 0),
            _ => throw new InvalidOperationException(name),
        });
        return copy;
    }

    private static TheoryData<string> Names<T>() =>
        [.. typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite).Select(property => property.Name)];
}
