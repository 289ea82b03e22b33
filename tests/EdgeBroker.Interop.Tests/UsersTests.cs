using System.Globalization;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Interop.Tests;

/// <summary>Users from files that mosquitto_passwd and we ourselves made, and rules, as mosquitto's clients meet them.</summary>
public sealed class UsersTests : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;
    private readonly List<ChildProcess> _processes = [];
    private PublishedBroker? _broker;

    private string Users => Path.Combine(_directory, "users");

    public async Task InitializeAsync()
    {
        await DoneAsync(ChildProcess.Program(Installed.Mosquitto("mosquitto_passwd"), "-b", "-c", Users, "anna", "geheim-7"));
        await DoneAsync(ChildProcess.Program(Installed.Mosquitto("mosquitto_passwd"), "-H", "sha512", "-b", Users, "bert", "geheim-6"));
        using ChildProcess add = PublishedBinary.Of(PublishedBinary.HostRid)
            .Start(_directory, keepsInput: true, "passwd", "add", "--stdin", "--scram", "users", "clara");
        add.Say("geheim-s");
        Assert.True(await add.ExitAsync() == 0, add.Said);
        _broker = await PublishedBroker.StartAsync($"""
            [auth]
            password_file = "{Users}"
            [[acl]]
            user = "?*"
            allow = ["publish", "subscribe"]
            topics = ["users/%u/#"]
            [[acl]]
            user = "anna"
            allow = ["subscribe"]
            topics = ["users/#"]
            """);
    }

    public Task DisposeAsync()
    {
        _processes.ForEach(process => process.Dispose());
        _broker?.Dispose();
        Directory.Delete(_directory, recursive: true);
        return Task.CompletedTask;
    }

    [Theory]
    [InlineData(Versions.V311, "anna", "geheim-7")]
    [InlineData(Versions.V5, "anna", "geheim-7")]
    [InlineData(Versions.V311, "bert", "geheim-6")]
    [InlineData(Versions.V5, "bert", "geheim-6")]
    [InlineData(Versions.V311, "clara", "geheim-s")]
    [InlineData(Versions.V5, "clara", "geheim-s")]
    public async Task The_right_password_lets_in_and_others_do_not(string version, string user, string password)
    {
        foreach (string presented in new[] { password, password, password + "x" })
        {
            ChildProcess publisher = Start("mosquitto_pub", version, user, presented, "-q", "1", "-t", $"users/{user}/a", "-m", "x");
            int exit = await publisher.ExitAsync();
            Assert.True(exit == 0 == (presented == password), publisher.Said);
        }

        await _broker!.Process.LineAsync(line => line.Contains($"wrong password for user \"{user}\"", StringComparison.Ordinal));
        Assert.DoesNotContain(password, _broker.Process.Said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Versions.V311)]
    [InlineData(Versions.V5)]
    public async Task Rules_decide_about_each_client(string version)
    {
        ChildProcess anna = Start("mosquitto_sub", version, "anna", "geheim-7", "-t", "users/#", "-F", "got %t %p", "-d");
        await anna.LineAsync(line => line.StartsWith("Subscribed", StringComparison.Ordinal));
        await Start("mosquitto_pub", version, "bert", "geheim-6", "-q", "1", "-t", "users/anna/a", "-m", "forged").ExitAsync();
        Assert.Equal(0, await Start("mosquitto_pub", version, "bert", "geheim-6", "-q", "1", "-t", "users/bert/a", "-m", "fence").ExitAsync());
        Assert.Equal("got users/bert/a fence", await anna.TakeLineAsync(line => line.StartsWith("got ", StringComparison.Ordinal)));
        ChildProcess bert = Start("mosquitto_sub", version, "bert", "geheim-6", "-t", "users/#");
        // In neither version does it count as a failure for mosquitto_sub.
        await bert.LineAsync(line => line.Contains("denied", StringComparison.OrdinalIgnoreCase));
        await _broker!.Process.LineAsync(
            line => line.Contains("may not subscribe to users/#: no [[acl]] rule allows to subscribe to all of it", StringComparison.Ordinal));
        await _broker.Process.LineAsync(line => line.Contains("to users/anna/a refused: no [[acl]] rule allows to publish there", StringComparison.Ordinal));
    }

    private static async Task DoneAsync(ChildProcess process)
    {
        using (process) Assert.True(await process.ExitAsync() == 0, process.Said);
    }

    private ChildProcess Start(string program, string version, string user, string password, params string[] arguments)
    {
        // stdbuf: what it says is seen at once although no terminal listens.
        string port = _broker!.Port.ToString(CultureInfo.InvariantCulture);
        ChildProcess process = ChildProcess.Program(
            "stdbuf",
            [
                "-oL", Installed.Mosquitto(program), "-h", "127.0.0.1", "-p", port, "-V", version == Versions.V5 ? "5" : "311", "-u", user, "-P", password,
                .. arguments,
            ]);
        _processes.Add(process);
        return process;
    }
}
