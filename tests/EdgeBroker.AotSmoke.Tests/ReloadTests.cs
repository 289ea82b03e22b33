using System.Globalization;
using EdgeBroker.Testing;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.AotSmoke.Tests;

/// <summary>The published executable takes a changed configuration while it runs, by signal and by verb.</summary>
public sealed class ReloadTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;

    public static TheoryData<string> Rids => new(PublishedBinary.Rids);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [MemberData(nameof(Rids))]
    public async Task It_reloads_on_SIGHUP_and_when_asked_by_the_verb(string rid)
    {
        Configure("max_qos = 2");
        using ChildProcess broker = PublishedBinary.Of(rid).StartHearingHangUps(_directory, "-c", "broker.toml");
        await PublishedBroker.PortOfAsync(broker);
        // By which the verb asks: it is there a moment after the listeners are.
        await Deadline.Until(() => File.Exists(Path.Combine(_directory, "data", "edgebroker.sock")), "the control socket");
        Configure("max_qos = 1");
        using (var kill = ChildProcess.Program("kill", "-HUP", broker.Id.ToString(CultureInfo.InvariantCulture))) Assert.Equal(0, await kill.ExitAsync());
        await broker.LineAsync(line => line.EndsWith("applied: mqtt.max_qos, for new connections", StringComparison.Ordinal));
        Configure("max_qos = 7");
        (int exit, string said) = await ReloadAsync(rid);
        Assert.Equal(
            (78, "broker.toml:8:11: \"max_qos\" expects a whole number from 0 to 2; found 7\nbroker.toml is not applied; everything stays as it was"),
            (exit, said));
        await broker.LineAsync(line => line.EndsWith("\"max_qos\" expects a whole number from 0 to 2; found 7", StringComparison.Ordinal));
        Configure("max_qos = 1", Web);
        (exit, said) = await ReloadAsync(rid);
        Assert.Equal((0, "broker.toml is applied\n  applied: ws on 127.0.0.1:0: a new listener"), (exit, said));
        await broker.LineAsync(line => line.Contains("listening for ws on 127.0.0.1:", StringComparison.Ordinal));
        Configure("max_qos = 1");
        (exit, said) = await ReloadAsync(rid);
        Assert.Equal((0, "broker.toml is applied\n  applied: ws on 127.0.0.1:0: removed, and its clients disconnected"), (exit, said));
        broker.Terminate();
        Assert.Equal(0, await broker.ExitAsync());
        (exit, said) = await ReloadAsync(rid);
        Assert.Equal(1, exit);
        Assert.Contains("no broker answers: there is no ", said, StringComparison.Ordinal);
    }

    private const string Web = "[[listener]]\nprotocol = \"ws\"\naddress = \"127.0.0.1:0\"\n";

    private void Configure(string mqtt, string more = "") => File.WriteAllText(
        Path.Combine(_directory, "broker.toml"),
        $"[node]\ndata_dir = \"data\"\n[[listener]]\nprotocol = \"mqtt\"\naddress = \"127.0.0.1:0\"\n\n[mqtt]\n{mqtt}\n{more}[log]\nformat = \"text\"\n");

    private async Task<(int Exit, string Said)> ReloadAsync(string rid)
    {
        using ChildProcess reload = PublishedBinary.Of(rid).Start(_directory, "reload", "-c", "broker.toml");
        int exit = await reload.ExitAsync();
        return (exit, reload.Said);
    }
}
