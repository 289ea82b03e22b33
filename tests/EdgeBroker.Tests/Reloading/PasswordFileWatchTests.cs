using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Tests.Reloading;

/// <summary>A password file that changes is taken by itself, never without the rules that stand beside it.</summary>
public sealed class PasswordFileWatchTests
{
    private const string Listener = "[[listener]]\nprotocol = \"mqtt\"\naddress = \"127.0.0.1:0\"\n";
    private const string Users = "[auth]\npassword_file = \"users\"\n";

    [Fact]
    public async Task Who_is_added_comes_in_and_who_is_removed_is_disconnected_without_a_reload()
    {
        await using BrokerInProcess broker = await StartAsync(Listener + Users, "anna", "bert");
        TestClient bert = await broker.ConnectAsync("b", "bert");
        Write(broker, "anna", "carl");
        await bert.ExpectDisconnectAsync(ReasonCode.NotAuthorized);
        Assert.True(await broker.RefusesAsync("bert"));
        Assert.False(await broker.RefusesAsync("carl"));
        await SaysAsync(broker, "users is applied");
        Assert.Contains("user \"carl\": added", broker.Log, StringComparison.Ordinal);
        Assert.Equal("broker.toml: nothing has changed\n", Said(broker.Apply()));
    }

    [Fact]
    public async Task Rules_come_with_the_users_and_everything_else_waits_for_a_reload()
    {
        await using BrokerInProcess broker = await StartAsync(Listener + Users, "anna");
        const string Rule = "[[acl]]\nuser = \"dora\"\nallow = [\"subscribe\"]\ntopics = [\"plant/#\"]\n";
        broker.Configure(Listener + Users + Rule + "[mqtt]\nmax_qos = 1\n");
        Write(broker, "anna", "dora");
        await SaysAsync(broker, "users is applied");
        TestClient dora = await broker.ConnectAsync("d", "dora");
        await dora.SendAsync(dora.Packets.Subscribe(1, "plant/x", 2), dora.Packets.Subscribe(2, "office/x", 2));
        await dora.ExpectAsync(dora.Packets.Suback(1, 2), dora.Packets.Suback(2, (int)ReasonCode.NotAuthorized));
        Assert.Equal("broker.toml is applied\n  applied: mqtt.max_qos, for new connections\n", Said(broker.Apply()));
    }

    [Fact]
    public async Task Beside_a_configuration_with_a_mistake_nobody_is_taken_and_the_reason_is_said_once()
    {
        await using BrokerInProcess broker = await StartAsync(Listener + Users, "anna");
        broker.Configure(Listener + Users + "[mqtt]\nmax_qos = 7\n");
        Write(broker, "anna", "carl");
        await SaysAsync(broker, "users is not applied; everything stays as it was");
        Assert.Contains("\"max_qos\" expects", broker.Log, StringComparison.Ordinal);
        Assert.True(await broker.RefusesAsync("carl"));
        Assert.False(await broker.RefusesAsync("anna"));
        broker.Apply(Listener + Users);
        Assert.False(await broker.RefusesAsync("carl"));
        Assert.Single(broker.Log.Split("users is not applied"), part => part.Contains("expects", StringComparison.Ordinal));
    }

    private static async Task<BrokerInProcess> StartAsync(string settings, params string[] names)
    {
        var broker = new BrokerInProcess();
        Write(broker, names);
        broker.Configure(settings);
        broker.Start();
        await broker.AnswersAsync();
        return broker;
    }

    // Written beside it and renamed, as `passwd add` does: half a file is never seen.
    private static void Write(BrokerInProcess broker, params string[] names)
    {
        broker.Directory.Write("users.new", string.Concat(names.Select(name => BrokerInProcess.User(name))));
        File.Move(Path.Combine(broker.Directory.Path, "users.new"), Path.Combine(broker.Directory.Path, "users"), overwrite: true);
    }

    private static Task SaysAsync(BrokerInProcess broker, string words) =>
        Deadline.Until(() => broker.Log.Contains(words, StringComparison.Ordinal), $"the log to say \"{words}\"");

    private static string Said(string report) =>
        string.Concat(report.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.Contains("warning", StringComparison.Ordinal))
            .Select(line => line + "\n"));
}
