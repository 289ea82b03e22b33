using System.Text;
using EdgeBroker.Configuration;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Hosting;
using EdgeBroker.Protocol;
using EdgeBroker.Security.Verification;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EdgeBroker.Tests.Hosting;

/// <summary>What is asked of the rules besides logins, and what the broker keeps for itself beside its users.</summary>
public sealed class AccessControlTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgebroker-users-").FullName;
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Names_that_nobody_has_are_answered_alike_after_a_restart()
    {
        string data = Path.Combine(_folder, "data");
        byte[] key = NameKey.Load(data);
        Assert.Equal(key, NameKey.Load(data));
        string path = Path.Combine(data, NameKey.FileName);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal(new VerificationCache(1, key).Derive("nobody", "SCRAM 1"), new VerificationCache(1, NameKey.Load(data)).Derive("nobody", "SCRAM 1"));
        File.WriteAllText(path, "cut");
        Assert.NotEqual(key, NameKey.Load(data));
    }

    [Fact]
    public async Task The_will_of_a_client_of_before_is_judged_by_the_rules_of_now()
    {
        AclRule rule = new()
        {
            Source = "test:1",
            User = "anna",
            Listener = "10.0.0.1:1883",
            Allows = true,
            Actions = AccessActions.Publish,
            Topics = [new AclPattern("a/#")],
        };
        await using AccessControl access = Access(new AclRuleSet([rule], []));
        Assert.Null(access.FindWillObjection("c", "anna", WillOf("a/1")));
        Assert.Contains("no [[acl]] rule", access.FindWillObjection("c", "anna", WillOf("b"))!, StringComparison.Ordinal);
        Assert.NotNull(access.FindWillObjection("c", null, WillOf("a/1")));
    }

    private static Message WillOf(string topic) =>
        new() { Topic = Encoding.UTF8.GetBytes(topic), Payload = [], Properties = [], QoS = QoS.AtMostOnce };

    private AccessControl Access(AclRuleSet rules)
    {
        var broker = new Broker(new MqttOptions(), new BrokerClock(_time), VolatileJournal.Instance, new BrokerEvents(), "test");
        AuthOptions options = new() { Rules = rules };
        return new AccessControl(options, Path.Combine(_folder, "data"), broker.Limits, NullLoggerFactory.Instance, _time);
    }
}
